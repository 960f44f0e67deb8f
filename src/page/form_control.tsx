/**
 * The control of one field of a form.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { ChoiceField, ControlField, TextField } from "./form_field.ts";

/** What a control is drawn from. */
export interface FormControlProps {
  /** The field. */
  readonly field: ControlField;
  /** The id of the control, which is its name too. */
  readonly id: string;
  /** What it holds. */
  readonly texts: readonly unknown[];
  /** The ids of what stands beside it. */
  readonly about: string | undefined;
  /** Whether what it holds cannot be sent. */
  readonly isFaulty: boolean;
}

/**
 * Draws a control.
 *
 * @param props What it is drawn from.
 * @returns The control; several, in a group, where several values may be chosen.
 */
export function FormControl({ field, id, texts, about, isFaulty }: FormControlProps): JSX.Element {
  const [first] = texts;
  const text = typeof first === "string" ? first : "";
  const shared = {
    id,
    name: id,
    "aria-describedby": about,
    "aria-required": field.isRequired ? "true" as const : undefined,
    "aria-invalid": isFaulty ? "true" as const : undefined,
  };
  const example = field.example === "" ? undefined : field.example;
  switch (field.kind) {
    case "flag":
      return <input type="checkbox" value="true" checked={texts.includes("true")} {...shared} />;
    case "choice":
      return <Choice field={field} text={text} shared={shared} />;
    case "choices":
      return (
        <div class="form-options">
          {field.options.map((option) => (
            <label>
              <input type="checkbox" name={id} value={option.text} checked={texts.includes(option.text)} />{" "}
              {option.label}
            </label>
          ))}
        </div>
      );
    case "number":
      // A control for numbers would send nothing where it holds no number.
      return (
        <input
          type="text"
          inputmode={field.isInteger ? "numeric" : "decimal"}
          value={text}
          placeholder={example}
          autocomplete="off"
          {...shared}
        />
      );
    case "lines":
      return <textarea rows={3} autocomplete="off" placeholder={example} {...shared}>{`\n${text}`}</textarea>;
    case "text":
      // A control of one line would take the line breaks out.
      return field.input === "long" || (field.input !== "password" && text.includes("\n"))
        ? <textarea rows={4} autocomplete="off" placeholder={example} {...shared}>{`\n${text}`}</textarea>
        : <input value={text} placeholder={example} autocomplete="off" {...INPUTS[field.input]} {...shared} />;
  }
}

/**
 * Addresses are typed into controls for texts: one for addresses would hold up the form where its schema takes what the
 * browser does not.
 */
const INPUTS: Readonly<Record<Exclude<TextField["input"], "long">, Readonly<Record<string, string>>>> = {
  line: { type: "text" },
  date: { type: "date" },
  date_time: { type: "datetime-local", step: "1" },
  email: { type: "text", inputmode: "email", autocapitalize: "off", spellcheck: "false" },
  uri: { type: "text", inputmode: "url", autocapitalize: "off", spellcheck: "false" },
  password: { type: "password" },
};

function Choice(
  { field, text, shared }: { field: ChoiceField; text: string; shared: Readonly<Record<string, unknown>> },
): JSX.Element {
  const isOnly = field.isRequired && field.options.length === 1;
  return (
    <select {...shared}>
      {!isOnly && <option value="" selected={text === ""}>{field.isRequired ? "Choose …" : "Not sent"}</option>}
      {field.options.map((option) => (
        <option value={option.text} selected={option.text === text || isOnly}>{option.label}</option>
      ))}
    </select>
  );
}
