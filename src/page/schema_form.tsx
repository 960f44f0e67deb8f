/**
 * A form made from the JSON Schema of a tool. It works without a script.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { Fault } from "../errors.ts";
import type { JsonObject, JsonValue } from "../protocol.ts";
import { type FormEntries, toFormEntries } from "./form_entries.ts";
import { ENDS, type FormField, type GroupField, hasNullBox, isSwitched, type LeafField } from "./form_field.ts";
import { FormControl } from "./form_control.tsx";
import { type FormPlan, planForm } from "./plan_form.ts";

/** What a form is drawn from. */
export interface SchemaFormProps {
  /** The schema of an object, of any draft, and whatever is in it. */
  readonly schema: JsonObject;
  /** The beginning of the names and ids of all controls: letters, digits and `-`, once in a page. */
  readonly prefix: string;
  /** The value to begin with. @default {what the schema proposes} */
  readonly value?: JsonValue | undefined;
  /** What was sent before, to be shown as it was written; it goes before `value`. */
  readonly sent?: FormEntries | undefined;
  /** What is wrong with what was sent. */
  readonly faults?: readonly Fault[] | undefined;
  /** What the values are together, in a word. @default {"arguments"} */
  readonly noun?: string | undefined;
  /** Whether they may also be written as JSON for all. @default {true} */
  readonly hasJson?: boolean | undefined;
}

/**
 * Draws the controls of a form; the `form` around them and its button are the page's. `readSchemaForm` reads what is
 * sent. Controls have no limits of their own: a browser would hold up a form because of one that is not seen.
 *
 * @param props What it is drawn from.
 * @returns The controls.
 */
export function SchemaForm(
  { schema, prefix, value, sent, faults = [], noun = "arguments", hasJson = true }: SchemaFormProps,
): JSX.Element {
  const plan = planForm(schema);
  const entries = sent ?? toFormEntries(plan, prefix, value);
  const scope: Scope = { prefix, entries, faults };
  const isJson = plan.root === undefined || textOf(scope, ENDS.mode) === "json";
  return (
    <div class="schema-form">
      {faults.length > 0 && <Faults scope={scope} plan={plan} isJson={isJson} />}
      {plan.root !== undefined && hasJson && <ModeSwitch prefix={prefix} isJson={isJson} noun={noun} />}
      {plan.root !== undefined && (
        <div class="form-fields">
          {plan.root.members.length === 0
            ? (
              <p class="form-note">
                {plan.isOpen ? "Without named fields: it is written as JSON." : "There is nothing to fill in."}
              </p>
            )
            : plan.root.members.map((member) => <Field key={member.pointer} field={member} scope={scope} />)}
        </div>
      )}
      {(plan.root === undefined || hasJson) && (
        <div class="form-json">
          <label for={prefix + ENDS.json}>The {noun} as JSON</label>
          <textarea
            id={prefix + ENDS.json}
            name={prefix + ENDS.json}
            class="form-code"
            rows={6}
            spellcheck={false}
            autocomplete="off"
          >
            {`\n${textOf(scope, ENDS.json)}`}
          </textarea>
        </div>
      )}
    </div>
  );
}

interface Scope {
  readonly prefix: string;
  readonly entries: FormEntries;
  readonly faults: readonly Fault[];
}

function textOf({ prefix, entries }: Scope, end: string): string {
  const [text] = entries.getAll(prefix + end);
  return typeof text === "string" ? text : "";
}

function ModeSwitch({ prefix, isJson, noun }: { prefix: string; isJson: boolean; noun: string }): JSX.Element {
  const name = prefix + ENDS.mode;
  return (
    <fieldset class="form-mode">
      <legend>Write the {noun} as</legend>
      <label>
        <input type="radio" name={name} value="fields" checked={!isJson} /> Fields
      </label>
      <label>
        <input type="radio" name={name} value="json" checked={isJson} /> JSON
      </label>
    </fieldset>
  );
}

/** All that is wrong, with the way to it. */
function Faults({ scope, plan, isJson }: { scope: Scope; plan: FormPlan; isJson: boolean }): JSX.Element {
  const members = isJson ? [] : plan.root?.members ?? [];
  return (
    <div class="form-faults" role="alert">
      <p>{scope.faults.length === 1 ? "One value cannot be sent:" : `${scope.faults.length} values cannot be sent:`}</p>
      <ul>
        {scope.faults.map(({ path, message }) => {
          const field = findField(members, path);
          const text = `${path === "" ? "" : `${path}: `}${message}`;
          const target = scope.prefix + (field === undefined ? ENDS.json : field.pointer);
          return (
            <li>{members.length === 0 || field !== undefined ? <a href={`#${encodeURI(target)}`}>{text}</a> : text}</li>
          );
        })}
      </ul>
    </div>
  );
}

function Field({ field, scope }: { field: FormField; scope: Scope }): JSX.Element {
  return field.kind === "group" ? <Group field={field} scope={scope} /> : <Leaf field={field} scope={scope} />;
}

function Group({ field, scope }: { field: GroupField; scope: Scope }): JSX.Element {
  const id = scope.prefix + field.pointer;
  const [json] = scope.entries.getAll(id + ENDS.json);
  const isOn = scope.entries.getAll(id + ENDS.isOn).length > 0;
  const about = toAbout(field, scope);
  return (
    <fieldset class="form-group" id={id} aria-describedby={about.ids}>
      <legend>
        <Name field={field} />
      </legend>
      {about.texts}
      {isSwitched(field) && (
        <label class="form-switch">
          <input type="checkbox" name={id + ENDS.isOn} value="true" checked={isOn} />{" "}
          {field.isRequired ? "Write it; otherwise it is null" : "Send it"}
        </label>
      )}
      <div class="form-members">
        {typeof json === "string"
          ? <RawJson field={field} scope={scope} text={json} about={about.ids} isLabelled={false} />
          : field.members.map((member) => <Field key={member.pointer} field={member} scope={scope} />)}
      </div>
    </fieldset>
  );
}

function Leaf({ field, scope }: { field: LeafField; scope: Scope }): JSX.Element {
  const id = scope.prefix + field.pointer;
  const [json] = scope.entries.getAll(id + ENDS.json);
  const about = toAbout(field, scope);
  const isRaw = field.kind === "json" || typeof json === "string";
  const control = field.kind !== "json" && (
    <FormControl
      field={field}
      id={id}
      texts={scope.entries.getAll(id)}
      about={about.ids}
      isFaulty={about.isFaulty}
    />
  );
  const nullBox = hasNullBox(field) && (
    <label class="form-switch">
      <input
        type="checkbox"
        name={id + ENDS.isNull}
        value="true"
        checked={scope.entries.getAll(id + ENDS.isNull).length > 0}
      />{" "}
      null
    </label>
  );
  if (field.kind === "choices" && !isRaw) {
    return (
      <fieldset class="form-field form-boxes" id={id} aria-describedby={about.ids}>
        <legend>
          <Name field={field} />
        </legend>
        {about.texts}
        {control}
        {nullBox}
      </fieldset>
    );
  }
  return (
    <div class="form-field">
      {isRaw
        ? (
          <RawJson
            field={field}
            scope={scope}
            text={typeof json === "string" ? json : ""}
            about={about.ids}
            isLabelled
          />
        )
        : (
          <>
            <label for={id}>
              <Name field={field} />
            </label>
            {about.texts}
            {control}
          </>
        )}
      {isRaw && about.texts}
      {nullBox}
    </div>
  );
}

function Name({ field }: { field: FormField }): JSX.Element {
  return (
    <>
      <span class="form-label">{field.label === "" ? '""' : field.label}</span>
      {field.label !== field.key && field.key !== "" && <code class="form-key">{field.key.slice(0, 120)}</code>}
      {field.isRequired && <span class="form-required">required</span>}
    </>
  );
}

/** A part that is written as JSON, as it cannot be drawn, or as its control cannot say its value. */
function RawJson(
  { field, scope, text, about, isLabelled }: {
    field: FormField;
    scope: Scope;
    text: string;
    about: string | undefined;
    isLabelled: boolean;
  },
): JSX.Element {
  const id = scope.prefix + field.pointer;
  return (
    <>
      {isLabelled && (
        <label for={id}>
          <Name field={field} /> <span class="form-hint">as JSON</span>
        </label>
      )}
      <textarea
        id={isLabelled ? id : id + ENDS.json}
        name={id + ENDS.json}
        class="form-code"
        rows={3}
        spellcheck={false}
        autocomplete="off"
        aria-label={isLabelled ? undefined : `${field.label} as JSON`}
        aria-describedby={about}
        aria-required={field.isRequired ? "true" : undefined}
      >
        {`\n${text}`}
      </textarea>
    </>
  );
}

interface About {
  readonly ids: string | undefined;
  readonly texts: JSX.Element;
  readonly isFaulty: boolean;
}

/** What stands beside a control, and the ids by which the control names it. */
function toAbout(field: FormField, { prefix, faults }: Scope): About {
  const id = prefix + field.pointer;
  const own = faults.filter(({ path }) => path === field.path || (field.kind !== "group" && isPathOf(field, path)));
  const ids = [
    ...(field.help === "" ? [] : [`${id}~help`]),
    ...(field.hints.length === 0 ? [] : [`${id}~hint`]),
    ...(own.length === 0 ? [] : [`${id}~fault`]),
  ];
  const texts = (
    <>
      {field.help !== "" && <p class="form-help" id={`${id}~help`}>{field.help}</p>}
      {field.hints.length > 0 && <p class="form-hint" id={`${id}~hint`}>{field.hints.join(", ")}</p>}
      {own.length > 0 && <p class="form-fault" id={`${id}~fault`}>{own.map(({ message }) => message).join("; ")}</p>}
    </>
  );
  return { ids: ids.length === 0 ? undefined : ids.join(" "), texts, isFaulty: own.length > 0 };
}

/** The field that a fault belongs to: the innermost that its path leads through. */
function findField(members: readonly FormField[], path: string): FormField | undefined {
  const member = members.find((field) => isPathOf(field, path));
  if (member?.kind !== "group") return member;
  return findField(member.members, path) ?? member;
}

function isPathOf({ path }: FormField, of: string): boolean {
  return of === path || (of.startsWith(path) && /^[.[]/.test(of.slice(path.length)));
}
