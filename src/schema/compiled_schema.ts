/**
 * A schema made ready to look at values, without a line of code made from text.
 *
 * @module
 */

import type { JsonObject, JsonValue } from "../protocol.ts";
import { ARRAY_RULES } from "./array_rules.ts";
import { CHOICE_RULES } from "./choice_rules.ts";
import { Evaluation, type Frame, type SchemaNode } from "./evaluation.ts";
import { boundMessage, toPath } from "./fault_text.ts";
import { OBJECT_RULES } from "./object_rules.ts";
import { PatternSet } from "./pattern_set.ts";
import type { RuleContext, RuleMakers } from "./rule_maker.ts";
import { SchemaDocument, type SchemaResource } from "./schema_document.ts";
import type { SchemaVerdict } from "./schema_verdict.ts";
import { UnusableSchemaError } from "./unusable_schema_error.ts";
import { VALUE_RULES } from "./value_rules.ts";

/** In this order keywords are looked at: what was looked at is asked last, and the values come before the type. */
const MAKERS: RuleMakers = {
  ...VALUE_RULES,
  ...CHOICE_RULES,
  ...withoutUnevaluated(OBJECT_RULES),
  ...withoutUnevaluated(ARRAY_RULES),
  unevaluatedProperties: OBJECT_RULES.unevaluatedProperties!,
  unevaluatedItems: ARRAY_RULES.unevaluatedItems!,
};

const RANKS: ReadonlyMap<string, number> = new Map(Object.keys(MAKERS).map((keyword, rank) => [keyword, rank]));

/** What comes of one check. */
export interface CheckOutcome {
  /** The verdict. */
  readonly verdict: SchemaVerdict;
  /** Whether other work should run before the next check. */
  readonly isSlow: boolean;
}

/** The part of the steps allowed from which a check is a slow one. */
const SLOW_SHARE = 0.1;

/** One compiled schema. */
export class CompiledSchema {
  readonly #document: SchemaDocument;
  readonly #root: SchemaNode;
  readonly #nodes = new Map<JsonValue, SchemaNode>();
  readonly #waiting: { readonly schema: JsonObject; readonly node: SchemaNode }[] = [];
  readonly #patterns = new PatternSet();
  readonly #tracksEvaluated: boolean;

  /**
   * Compiles a schema, and all that its references lead to.
   *
   * @param text The schema as JSON, of bounded size and depth.
   * @throws {UnusableSchemaError} If it cannot be compiled.
   */
  constructor(text: string) {
    const schema: JsonObject = JSON.parse(text);
    this.#document = new SchemaDocument(schema);
    this.#tracksEvaluated = /"unevaluated(?:Properties|Items)"/.test(text);
    this.#root = this.#node(schema, this.#document.main);
    // Not by recursion: references can lead from one to the next a thousand times.
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      this.#fill(next.schema, next.node);
    }
  }

  /**
   * Checks a value.
   *
   * @param value The value, of bounded size and depth.
   * @param maxSteps How many steps it may take.
   * @returns The verdict, and whether it took long to find.
   */
  check(value: JsonValue, maxSteps: number): CheckOutcome {
    const evaluation = new Evaluation(maxSteps);
    try {
      const verdict = toVerdict(evaluation.apply(this.#root, value, undefined));
      return { verdict, isSlow: evaluation.stepsLeft < maxSteps * (1 - SLOW_SHARE) };
    } catch (error) {
      if (!(error instanceof UnusableSchemaError)) throw error;
      return { verdict: { kind: "unusable", reason: error.message }, isSlow: true };
    }
  }

  #node(schema: JsonValue, resource: SchemaResource): SchemaNode {
    const known = this.#nodes.get(schema);
    if (known !== undefined) return known;
    const node: SchemaNode = { rules: [], resource, forbids: schema === false };
    if (typeof schema === "object") {
      this.#nodes.set(schema, node);
      this.#waiting.push({ schema: schema as JsonObject, node });
    } else if (node.forbids) {
      node.rules.push((_evaluation, frame) => frame.fail("Not allowed here: leave it out"));
    }
    return node;
  }

  #fill(schema: JsonObject, node: SchemaNode): void {
    const { dialect } = this.#document;
    const context: RuleContext = {
      schema,
      self: node,
      dialect,
      tracksEvaluated: this.#tracksEvaluated,
      node: (part) => this.#node(part, this.#document.resourceOf(part) ?? node.resource),
      follow: (reference) => this.#follow(reference, node.resource),
      pattern: (source) => this.#patterns.toSearch(source),
    };
    const isReference = dialect.refStandsAlone && Object.hasOwn(schema, "$ref");
    const known = Object.keys(schema).filter((keyword) => dialect.keywords.has(keyword) && RANKS.has(keyword));
    const keywords = isReference ? ["$ref"] : known.sort((a, b) => RANKS.get(a)! - RANKS.get(b)!);
    for (const keyword of keywords) {
      const rule = MAKERS[keyword]!(schema[keyword]!, context, keyword);
      if (rule !== undefined) node.rules.push(rule);
    }
  }

  #follow(reference: string, from: SchemaResource): ReturnType<RuleContext["follow"]> {
    const target = this.#document.resolve(reference, from);
    const node = this.#node(target.schema, target.resource);
    const name = target.dynamicName;
    for (const { schema, resource } of name === undefined ? [] : this.#document.findDynamic(name)) {
      this.#node(schema, resource);
    }
    return {
      node,
      toNearest: (frame, evaluation) => {
        const nearest = name === undefined ? undefined : findOutermost(frame, name, evaluation);
        return nearest === undefined ? node : this.#nodes.get(nearest) ?? node;
      },
    };
  }
}

function toVerdict({ failed, faults }: Frame): SchemaVerdict {
  if (!failed) return { kind: "valid" };
  const written = faults.map(({ place, message }) => ({ path: toPath(place), message: boundMessage(message) }));
  return { kind: "invalid", faults: written };
}

function withoutUnevaluated(makers: RuleMakers): RuleMakers {
  return Object.fromEntries(Object.entries(makers).filter(([keyword]) => !keyword.startsWith("unevaluated")));
}

/** The schema that the outermost of the resources gone through gives a name to. */
function findOutermost(frame: Frame, name: string, evaluation: Evaluation): JsonValue | undefined {
  let found: JsonValue | undefined;
  for (let scope: Frame["scope"] | undefined = frame.scope; scope !== undefined; scope = scope.outer) {
    evaluation.spend(1);
    found = scope.resource.dynamicAnchors.get(name) ?? found;
  }
  return found;
}
