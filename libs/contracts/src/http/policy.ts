import Type from 'typebox';
import { type PolicyPatch, type SwitchFeatures } from '#domain';
import { PolicyPatchSchema } from '../wire/policy.schema.js';
import { isTuple } from '../wire/check.js';
import { type Node } from '../wire/schema.js';
import { switchFeatures } from '../wire/switch.schema.js';

/** The same shapes as on the wire, in the words of JSON schema: said once, they can't part. */
function jsonSchema(node: Node): Record<string, unknown> {
  const { keys, properties, items, anyOf, required, ...rest } = node;
  const words = anyOf?.flatMap((one) => (typeof one.const === 'string' ? [one.const] : []));
  return {
    ...rest,
    ...(properties === undefined
      ? {}
      : { properties: eachOf(properties), required: required ?? [], additionalProperties: false }),
    ...(keys === undefined
      ? {}
      : { propertyNames: { pattern: keys.pattern }, additionalProperties: jsonSchema(keys.value) }),
    ...(items === undefined
      ? {}
      : isTuple(items)
        ? { prefixItems: items.map(jsonSchema) }
        : { items: jsonSchema(items) }),
    ...(anyOf === undefined
      ? {}
      : words?.length === anyOf.length
        ? { type: 'string', enum: words }
        : { anyOf: anyOf.map(jsonSchema) }),
  };
}

const eachOf = (nodes: Readonly<Record<string, Node>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, jsonSchema(node)]));

const policy = {
  ...jsonSchema(PolicyPatchSchema),
  title: 'Policy',
  description:
    'the policy fields that are set at this level, each whole. In what is sent, what has a default may be left out, ' +
    'and a filter may be a list of rules alone',
};

/** The policy fields that are set at one level, each in full. */
export const PolicyView = Type.Unsafe<PolicyPatch>(policy);
/** The same as somebody sends it: what it lacks or has too much is the domain's to say. */
export const PolicyInput = Type.Unsafe<Record<string, unknown>>(policy);

/** Fields of a switch's spec beside uplinks, MTU, policy and members. */
export const switchFeatureViews = Object.fromEntries(
  Object.entries(switchFeatures).map(([name, node]) => [name, Type.Unsafe(jsonSchema(node))]),
) as unknown as { readonly [F in keyof SwitchFeatures]: ReturnType<typeof Type.Unsafe<SwitchFeatures[F]>> };
