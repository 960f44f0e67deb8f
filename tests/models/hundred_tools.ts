/**
 * A hundred tools as servers in the wild describe them: ten services, ten tools each.
 *
 * @module
 */

import type { JsonObject, Tool } from "../../src/protocol.ts";

/** What arguments of a name mean wherever they occur; a name that ends in `?` in a line below is optional. */
const ARGUMENTS: Readonly<Record<string, JsonObject>> = {
  owner: { type: "string", description: "Repository owner (username or organization)" },
  repo: { type: "string", description: "Repository name" },
  title: { type: "string", description: "Title" },
  body: { type: "string", description: "Body text, Markdown is allowed" },
  labels: { type: "array", items: { type: "string" }, description: "Labels to apply" },
  number: { type: "integer", description: "Number of the issue or pull request" },
  branch: { type: "string", description: "Branch name" },
  query: { type: "string", description: "Search terms" },
  limit: { type: "integer", minimum: 1, maximum: 100, default: 20, description: "Maximum number of results" },
  cursor: { type: "string", description: "Cursor of the next page" },
  path: { type: "string", description: "Path of the file or folder" },
  content: { type: "string", description: "Text to write" },
  destination: { type: "string", description: "Path to move to" },
  edits: {
    type: "array",
    items: { type: "object", properties: { oldText: { type: "string" }, newText: { type: "string" } } },
    description: "Replacements, applied in order",
  },
  encoding: { type: "string", enum: ["utf-8", "base64"], description: "How bytes become text" },
  channel: { type: "string", description: "Channel ID, for example C024BE91L" },
  text: { type: "string", description: "Message text" },
  thread: { type: "string", description: "Timestamp of the parent message" },
  emoji: { type: "string", description: "Name of the emoji without colons" },
  user: { type: "string", description: "User ID" },
  sql: { type: "string", description: "SQL statement" },
  schema: { type: "string", default: "public", description: "Database schema" },
  table: { type: "string", description: "Table name" },
  start: { type: "string", format: "date-time", description: "Start time (RFC 3339)" },
  end: { type: "string", format: "date-time", description: "End time (RFC 3339)" },
  attendees: { type: "array", items: { type: "string" }, description: "E-mail addresses of the guests" },
  location: { type: "string", description: "Where it takes place" },
  event: { type: "string", description: "Event ID" },
  calendar: { type: "string", default: "primary", description: "Calendar ID" },
  to: { type: "array", items: { type: "string" }, description: "Recipients" },
  subject: { type: "string", description: "Subject line" },
  message: { type: "string", description: "Message ID" },
  attachment: { type: "string", description: "Attachment ID" },
  project: { type: "string", description: "Project key, for example WEB" },
  ticket: { type: "string", description: "Ticket key, for example WEB-42" },
  jql: { type: "string", description: "Query in Jira Query Language" },
  assignee: { type: "string", description: "Account ID of the person responsible" },
  status: { type: "string", enum: ["todo", "in_progress", "done"], description: "Workflow state" },
  hours: { type: "number", description: "Time spent in hours" },
  page: { type: "string", description: "Page ID" },
  parent: { type: "string", description: "ID of the page above" },
  blocks: { type: "array", items: { type: "object" }, description: "Content blocks" },
  url: { type: "string", format: "uri", description: "Address to open" },
  selector: { type: "string", description: "CSS selector of the element" },
  value: { type: "string", description: "Value to enter" },
  script: { type: "string", description: "JavaScript to evaluate" },
  customer: { type: "string", description: "Customer ID" },
  amount: { type: "integer", description: "Amount in the smallest currency unit" },
  currency: { type: "string", description: "Three-letter ISO currency code" },
  email: { type: "string", format: "email", description: "E-mail address" },
  invoice: { type: "string", description: "Invoice ID" },
  bucket: { type: "string", description: "Bucket name" },
  key: { type: "string", description: "Object key" },
  name: { type: "string", description: "Name" },
  region: { type: "string", description: "Region, for example eu-central-1" },
  city: { type: "string", description: "City, optionally with country" },
  days: { type: "integer", minimum: 1, maximum: 14, description: "Number of days" },
};

/** Name | description | arguments. */
const LINES = `
github_create_issue | Create a new issue in a GitHub repository | owner repo title body? labels?
github_list_issues | List and filter the issues of a repository | owner repo labels? limit? cursor?
github_add_issue_comment | Add a comment to an existing issue or pull request | owner repo number body
github_create_pull_request | Open a pull request to merge one branch into another | owner repo title branch body?
github_merge_pull_request | Merge a pull request | owner repo number
github_search_code | Search for code across all GitHub repositories | query limit? cursor?
github_get_file_contents | Get the contents of a file or directory from a repository | owner repo path branch?
github_create_branch | Create a new branch from an existing one | owner repo branch
github_fork_repository | Fork a repository to your account | owner repo
github_list_commits | Get the commit history of a branch | owner repo branch? limit?
read_file | Read the complete contents of a text file from the disk. Fails if the file does not exist. | path encoding?
write_file | Create a new file or overwrite an existing one. Use with caution. | path content
edit_file | Make line-based edits to a text file and return a diff of the changes | path edits
list_directory | List the files and folders in a directory | path
create_directory | Create a directory, with all folders above it | path
move_file | Move or rename a file or directory | path destination
delete_file | Remove a file permanently | path
search_files | Find files whose names match a pattern, recursively | path query
get_file_info | Get size, permissions and modification time of a file | path
directory_tree | Show a recursive tree view of a folder as JSON | path
slack_post_message | Post a new message to a Slack channel | channel text
slack_reply_to_thread | Reply to a message thread in Slack | channel thread text
slack_list_channels | List the public channels of the workspace | limit? cursor?
slack_add_reaction | React to a message with an emoji | channel thread emoji
slack_get_channel_history | Get recent messages from a channel | channel limit?
slack_get_users | Get a list of all members of the workspace with their profiles | limit? cursor?
slack_get_user_profile | Get detailed profile information about one person | user
slack_search_messages | Search messages in the workspace | query limit?
slack_set_topic | Change the topic of a channel | channel text
slack_upload_file | Share a file in a channel | channel path title?
postgres_query | Run a read-only SQL query against the database | sql limit?
postgres_execute | Run an SQL statement that inserts, updates or deletes rows | sql
postgres_list_tables | List all tables in a database schema | schema?
postgres_describe_table | Show the columns, types and constraints of a table | table schema?
postgres_explain | Show the execution plan of a query to see why it is slow | sql
postgres_list_indexes | List the indexes of a table and how often they are used | table schema?
postgres_create_index | Create an index on a table to speed up queries | table name schema?
postgres_list_connections | Show active sessions and locks on the database server | limit?
postgres_table_size | Report the disk usage of a table | table schema?
postgres_vacuum | Reclaim storage and refresh the planner's statistics | table schema?
calendar_list_events | List upcoming events in a date range | start end calendar?
calendar_create_event | Schedule a meeting or appointment and invite guests | title start end attendees? location? calendar?
calendar_update_event | Change the time, place or guests of an event | event start? end? attendees? location?
calendar_delete_event | Cancel an event | event calendar?
calendar_find_free_time | Find a time slot when everybody is available | attendees start end
calendar_list_calendars | List the calendars you can access | limit?
calendar_respond_to_invitation | Accept or decline an invitation | event value
calendar_search_events | Find events by keyword | query start? end?
calendar_add_guest | Invite another person to an event | event email
calendar_set_reminder | Get notified before an event starts | event days?
gmail_send_email | Send an e-mail | to subject body
gmail_search_emails | Search the mailbox with Gmail's query syntax | query limit?
gmail_read_email | Read one e-mail with its headers and body | message
gmail_create_draft | Compose a draft without sending it | to subject body
gmail_download_attachment | Save an attachment of an e-mail | message attachment path
gmail_delete_email | Move an e-mail to the trash | message
gmail_list_labels | List all labels of the mailbox | limit?
gmail_apply_label | Add labels to an e-mail | message labels
gmail_reply | Answer an e-mail in its thread | message body
gmail_create_filter | Sort incoming mail automatically by rules | query labels
jira_create_ticket | Create a bug, story or task in a Jira project | project title body? assignee?
jira_search_tickets | Search tickets with JQL | jql limit? cursor?
jira_get_ticket | Get all fields of a ticket | ticket
jira_transition_ticket | Move a ticket to another workflow status | ticket status
jira_assign_ticket | Assign a ticket to a person | ticket assignee
jira_add_worklog | Log time spent on a ticket | ticket hours
jira_list_sprints | List the sprints of a board | project limit?
jira_link_tickets | Connect two tickets as blocks or duplicates | ticket value
jira_add_watcher | Subscribe a person to the updates of a ticket | ticket user
jira_list_projects | List all visible projects | limit?
notion_create_page | Create a page below another page | parent title blocks?
notion_update_page | Update the properties of a page | page title?
notion_append_blocks | Append content to the end of a page | page blocks
notion_search | Search all pages and databases by title | query limit?
notion_query_database | Filter and sort the entries of a Notion database | page query? limit?
notion_get_page | Retrieve a page with its content | page
notion_archive_page | Archive a page | page
notion_list_users | List the people of the workspace | limit?
notion_create_comment | Start a discussion on a page | page text
notion_export_page | Convert a page into a PDF document | page path
browser_navigate | Open a web page in the browser | url
browser_click | Click an element on the page | selector
browser_fill | Type text into an input field | selector value
browser_screenshot | Take a picture of the current page or of an element | selector? path?
browser_evaluate | Execute JavaScript in the page and return its result | script
browser_wait_for | Wait until an element or text appears | selector
browser_select_option | Choose an entry of a dropdown menu | selector value
browser_get_text | Extract the visible text of the page | selector?
browser_go_back | Return to the previous page in the history | 
browser_close | Close the browser and free its resources | 
stripe_create_customer | Register a new customer | email name?
stripe_create_invoice | Bill a customer | customer amount currency
stripe_refund_payment | Give money back for a charge | invoice amount?
stripe_list_subscriptions | List recurring plans of a customer | customer limit?
s3_list_objects | List what is stored in a bucket | bucket limit? cursor?
s3_put_object | Upload an object to cloud storage | bucket key content
s3_get_object | Download an object from cloud storage | bucket key
ec2_start_instance | Boot a virtual machine | name region?
weather_get_forecast | Get the weather forecast: temperature, rain and wind | city days?
weather_get_current | Get the current conditions outside | city
`;

/** The tools. */
export const HUNDRED_TOOLS: readonly Tool[] = LINES.trim().split("\n").map((line) => {
  const [name = "", description = "", args = ""] = line.split("|").map((part) => part.trim());
  const names = args.split(" ").filter((arg) => arg !== "");
  const properties = Object.fromEntries(names.map((arg) => {
    const key = arg.replace("?", "");
    const schema = ARGUMENTS[key];
    if (schema === undefined) throw new Error(`No argument "${key}"`);
    return [key, schema];
  }));
  const required = names.filter((arg) => !arg.endsWith("?"));
  const inputSchema = { type: "object", properties, required, additionalProperties: false };
  return { name, description, inputSchema };
});

/** Words of a person, and the tools that would do; finding one of them counts. */
export const QUERIES: readonly (readonly [query: string, wanted: readonly string[]])[] = [
  ["report a bug in a github repo", ["github_create_issue", "jira_create_ticket"]],
  ["open a PR", ["github_create_pull_request"]],
  ["comment on an issue", ["github_add_issue_comment"]],
  ["history of commits", ["github_list_commits"]],
  ["find code that uses a function", ["github_search_code"]],
  ["read a text file", ["read_file"]],
  ["save text to disk", ["write_file"]],
  ["rename a file", ["move_file"]],
  ["how big is this file", ["get_file_info"]],
  ["show all folders as a tree", ["directory_tree"]],
  ["send a message to a channel", ["slack_post_message"]],
  ["reply in slack thread", ["slack_reply_to_thread"]],
  ["who is in the workspace", ["slack_get_users", "notion_list_users"]],
  ["react with thumbs up emoji", ["slack_add_reaction"]],
  ["run sql query", ["postgres_query"]],
  ["why is my query slow", ["postgres_explain"]],
  ["columns of a table", ["postgres_describe_table"]],
  ["delete rows from the database", ["postgres_execute"]],
  ["schedule a meeting with Anna", ["calendar_create_event"]],
  ["when is everyone available", ["calendar_find_free_time"]],
  ["cancel my appointment event", ["calendar_delete_event"]],
  ["decline invitation", ["calendar_respond_to_invitation"]],
  ["send an email", ["gmail_send_email"]],
  ["download attachments of a mail", ["gmail_download_attachment"]],
  ["write a draft", ["gmail_create_draft"]],
  ["log hours worked on a ticket", ["jira_add_worklog"]],
  ["assign ticket to someone", ["jira_assign_ticket"]],
  ["move ticket to done", ["jira_transition_ticket"]],
  ["filter entries of a notion database", ["notion_query_database"]],
  ["export as pdf", ["notion_export_page"]],
  ["take a screenshot", ["browser_screenshot"]],
  ["fill in a form field", ["browser_fill"]],
  ["go to a website", ["browser_navigate"]],
  ["refunding a payment", ["stripe_refund_payment"]],
  ["bill the customer", ["stripe_create_invoice"]],
  ["upload to bucket", ["s3_put_object"]],
  ["will it rain tomorrow", ["weather_get_forecast"]],
  ["echo a string back", ["echo"]],
  ["add two numbers", ["get-sum"]],
  ["environment variables", ["get-env"]],
  ["compress a file with gzip", ["gzip-file-as-resource"]],
  ["long running task with progress", ["trigger-long-running-operation"]],
  ["tiny picture", ["get-tiny-image"]],
  ["research a topic", ["simulate-research-query"]],
  ["turn logging on", ["toggle-simulated-logging"]],
];
