/**
 * How the forms of schemas look; the colours are those of the page.
 *
 * @module
 */

/** The rules; they hold for what is within `.schema-form`. */
export const SCHEMA_FORM_CSS = `
.schema-form { display: grid; gap: .9rem; min-width: 0; }
.schema-form fieldset { margin: 0; min-width: 0; border: 0; padding: 0; }
.schema-form legend { padding: 0; }
.schema-form p { margin: 0; }
.schema-form label, .schema-form legend { font-weight: 600; overflow-wrap: anywhere; }
.schema-form .form-mode { display: flex; flex-wrap: wrap; gap: .25rem .9rem; align-items: baseline; }
.schema-form .form-mode legend { float: left; margin-right: .2rem; font-weight: 400; color: var(--faint); }
.schema-form .form-mode label, .schema-form .form-switch, .schema-form .form-options label { font-weight: 400; }
.schema-form .form-fields, .schema-form .form-members { display: grid; gap: .9rem; min-width: 0; }
.schema-form .form-field, .schema-form .form-json { display: grid; gap: .25rem; justify-items: start; min-width: 0; }
.schema-form .form-group { border-left: 3px solid var(--line); padding: .1rem 0 .1rem .9rem; }
.schema-form .form-group > * + * { margin-top: .4rem; }
.schema-form .form-options { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
.schema-form :is(input:not([type=checkbox], [type=radio]), select, textarea) {
  box-sizing: border-box; width: 100%; max-width: 40rem; min-height: 2.4rem; padding: .4rem .55rem; font: inherit;
  color: inherit; background: var(--sheet); border: 1px solid var(--faint); border-radius: 3px;
}
.schema-form :is(input[type=date], input[type=datetime-local]) { width: auto; max-width: 100%; }
.schema-form textarea { resize: vertical; field-sizing: content; min-height: 4.2rem; max-height: 30rem; }
.schema-form textarea.form-code { font-family: ui-monospace, monospace; font-size: .9em; max-width: none; }
.schema-form :is(input[type=checkbox], input[type=radio]) {
  width: 1.15rem; height: 1.15rem; vertical-align: -.2rem;
}
.schema-form :is(input, select, textarea)[aria-invalid=true] { border-color: var(--bad); }
.schema-form .form-key { margin-left: .4rem; font-weight: 400; color: var(--faint); }
.schema-form .form-required { margin-left: .4rem; font-size: .8em; font-weight: 400; color: var(--faint); }
.schema-form :is(.form-help, .form-hint, .form-note) { font-size: .9em; font-weight: 400; color: var(--faint); }
.schema-form .form-help { max-width: 60ch; white-space: pre-line; overflow-wrap: anywhere; }
.schema-form .form-hint { overflow-wrap: anywhere; }
.schema-form .form-fault { color: var(--bad); font-weight: 600; }
.schema-form .form-faults { border: 1px solid var(--bad); border-radius: 3px; padding: .6rem .9rem; }
.schema-form .form-faults ul { margin: .3rem 0 0; padding-left: 1.2rem; }
.schema-form .form-faults a { color: inherit; }
.schema-form:has(> .form-mode input[value=fields]:checked) > .form-json { display: none; }
.schema-form:has(> .form-mode input[value=json]:checked) > .form-fields { display: none; }
.schema-form .form-group:has(> .form-switch > input:not(:checked)) > .form-members { display: none; }
`;
