/**
 * The keywords that ask other schemas about the same value.
 *
 * @module
 */

import type { JsonValue } from "../protocol.ts";
import {
  applyInPlace,
  type Evaluation,
  type FoundFault,
  type Frame,
  type Rule,
  type SchemaNode,
} from "./evaluation.ts";
import { countText, listTexts, toPath, toTypeName } from "./fault_text.ts";
import { beside, readSchema, readSchemas, readText, type RuleContext, type RuleMakers } from "./rule_maker.ts";

/** What comparing an alternative with the others costs. */
const EXPLAIN_STEPS = 4;

function toNodes(value: JsonValue, context: RuleContext, keyword: string): readonly SchemaNode[] {
  return readSchemas(value, keyword).map((schema) => context.node(schema));
}

function referenceRule(value: JsonValue, context: RuleContext, keyword: string): Rule {
  const { node, toNearest } = context.follow(readText(value, keyword));
  context.self.choices ??= [node];
  const isFixed = keyword === "$ref";
  return (evaluation, frame) => {
    frame.join(applyInPlace(evaluation, isFixed ? node : toNearest(frame, evaluation), frame));
  };
}

/** Says why a value fits none of several schemas: what the one says that was most likely meant, or all in short. */
function explain(evaluation: Evaluation, frame: Frame, branches: readonly Frame[]): void {
  evaluation.spend(branches.length * EXPLAIN_STEPS);
  const here = (fault: FoundFault) => fault.place === frame.place && fault.wanted !== undefined;
  const meant = branches.filter((branch) => !branch.faults.some(here));
  const wishes = branches.map((branch) => branch.faults.length === 1 ? branch.faults[0]!.wanted : undefined);
  if (meant.length === 0 && wishes.every((wish) => wish !== undefined)) {
    const wanted = listTexts([...new Set(wishes)], " or ");
    return frame.fail(`Expected ${wanted}: got ${toTypeName(frame.value)}`, { wanted });
  }
  // A key with a value of its own in every alternative tells which one was meant.
  const named = meant.filter((branch) => !branch.faults.some((fault) => fault.isIdentity));
  const likely = named.length > 0 ? named : meant;
  if (likely.length === 1) return frame.takeFrom(likely[0]!);
  const tags = likely.map((branch) => branch.faults.find((fault) => fault.isIdentity));
  const paths = new Set(tags.map((tag) => toPath(tag?.place)));
  if (likely.length > 0 && paths.size === 1 && tags.every((tag) => tag?.wanted !== undefined)) {
    const wanted = listTexts([...new Set(tags.map((tag) => tag!.wanted!))], " or ");
    return frame.fail(`Expected ${wanted}`, { place: tags[0]!.place, wanted, isIdentity: true });
  }
  const [nearest] = (likely.length > 0 ? likely : branches).toSorted((a, b) => a.faults.length - b.faults.length);
  const fault = nearest?.faults[0];
  const hint = fault === undefined ? "" : `; the nearest says of ${toPath(fault.place) || "it"}: ${fault.message}`;
  frame.fail(`Fits none of ${countText(branches.length, "alternative")}${hint}`);
}

/** The keywords of this file. */
export const CHOICE_RULES: RuleMakers = {
  $ref: referenceRule,
  $dynamicRef: referenceRule,
  $recursiveRef: referenceRule,
  allOf: (value, context, keyword) => {
    const nodes = toNodes(value, context, keyword);
    if (nodes.length === 1) context.self.choices ??= nodes;
    return (evaluation, frame) => {
      for (const node of nodes) frame.join(applyInPlace(evaluation, node, frame));
    };
  },
  anyOf: (value, context, keyword) => {
    const nodes = toNodes(value, context, keyword);
    context.self.choices ??= nodes;
    return (evaluation, frame) => {
      const branches: Frame[] = [];
      for (const node of nodes) {
        const branch = applyInPlace(evaluation, node, frame);
        branches.push(branch);
        // What was looked at counts for all that fit; without that question the first one is enough.
        if (!branch.failed && !branch.unsure && !context.tracksEvaluated) return;
      }
      const fitting = branches.filter((branch) => !branch.failed);
      if (fitting.length === 0) return explain(evaluation, frame, branches);
      for (const branch of fitting) frame.join(branch);
    };
  },
  oneOf: (value, context, keyword) => {
    const nodes = toNodes(value, context, keyword);
    context.self.choices ??= nodes;
    return (evaluation, frame) => {
      const branches = nodes.map((node) => applyInPlace(evaluation, node, frame));
      const fitting = branches.filter((branch) => !branch.failed);
      const sure = fitting.filter((branch) => !branch.unsure);
      if (fitting.length === 0) return explain(evaluation, frame, branches);
      if (sure.length > 1) frame.fail(`Fits ${sure.length} alternatives: only one of them may fit`);
      for (const branch of fitting) frame.join(branch);
    };
  },
  not: (value, context, keyword) => {
    const node = context.node(readSchema(value, keyword));
    return (evaluation, frame) => {
      const found = applyInPlace(evaluation, node, frame);
      if (found.failed) return;
      if (found.unsure) frame.unsure = true;
      else frame.fail("Fits what is not allowed here");
    };
  },
  if: (value, context, keyword) => {
    const condition = context.node(readSchema(value, keyword));
    const branchOf = (name: string) => context.node(readSchema(beside(context, name) ?? true, name));
    const [then, otherwise] = [branchOf("then"), branchOf("else")];
    return (evaluation, frame) => {
      const found = applyInPlace(evaluation, condition, frame);
      if (!found.failed) frame.join(found);
      if (found.failed || !found.unsure) {
        return frame.join(applyInPlace(evaluation, found.failed ? otherwise : then, frame));
      }
      // Which of the two counts cannot be told, so both do where it is asked what was looked at.
      for (const node of [then, otherwise]) frame.seeAll(applyInPlace(evaluation, node, frame));
    };
  },
};
