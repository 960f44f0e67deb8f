/**
 * `portolan completion`: what a shell has to know to complete the command line.
 *
 * @module
 */

import { CliError } from "../cli_error.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import type { SessionFlags } from "../session.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

// The shells know nothing but how to ask: what there is to complete is always that of the program itself. A line of an
// answer is a word, a tab and what it means.
const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `# Portolan's completion for bash: eval "$(portolan completion bash)"
_portolan() {
  local line word
  local cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    word="\${line%%$'\\t'*}"
    [[ "$word" == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _portolan portolan
`,
  zsh: `#compdef portolan
# Portolan's completion for zsh: eval "$(portolan completion zsh)"
_portolan() {
  local -a found
  local line word
  while IFS= read -r line; do
    word="\${line%%$'\\t'*}"
    found+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe portolan found; else _files; fi
}
if [[ "$funcstack[1]" == _portolan ]]; then _portolan "$@"; else compdef _portolan portolan; fi
`,
  fish: `# Portolan's completion for fish: portolan completion fish | source
function __portolan_complete
    set -l words (commandline -opc)
    $words[1] complete -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c portolan -f -a '(__portolan_complete)'
complete -c portolan -n '__fish_seen_subcommand_from import' -F
complete -c portolan -l config -l write -r -F
`,
};

/** Prints the script of a shell. */
export const completion = toCommand((session, _flags: SessionFlags, shell: string) => {
  const script = SHELLS.find((one) => one === shell);
  if (script === undefined) {
    throw new CliError(
      "invalid_usage",
      `Cannot complete for that shell: write ${SHELLS.slice(0, -1).join(", ")} or fish`,
    );
  }
  session.io.stdout.write(SCRIPTS[script]);
  return Promise.resolve(EXIT.ok);
});
