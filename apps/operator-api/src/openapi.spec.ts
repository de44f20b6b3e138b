import 'reflect-metadata';
import { POLICY_FIELDS } from '#domain';
import { describe, expect, it } from '@jest/globals';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { Validator } from '@seriousme/openapi-schema-validator';
import { CONTROLLERS } from './app.module.js';
import { openApiDocument } from './openapi/document.js';
import { OPERATIONS } from './openapi/operations.js';

/** What the controllers serve, by Nest's own metadata. */
function routes(): string[] {
  return CONTROLLERS.flatMap((controller) => {
    const base = Reflect.getMetadata(PATH_METADATA, controller) as string;
    return Object.getOwnPropertyNames(controller.prototype).flatMap((name) => {
      const handler: unknown = Object.getOwnPropertyDescriptor(controller.prototype, name)?.value;
      if (name === 'constructor' || typeof handler !== 'function') return [];
      const path = Reflect.getMetadata(PATH_METADATA, handler) as string | undefined;
      if (path === undefined) return [];
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number]!;
      return [
        `${method.toLowerCase()} /${[base, path]
          .map((p) => p.replace(/^\/|\/$/g, ''))
          .filter(Boolean)
          .join('/')}`,
      ];
    });
  });
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(openApiDocument() as Record<string, unknown>);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  it('describes every route and nothing else', () => {
    expect(OPERATIONS.map((o) => `${o.method} ${o.path}`).sort()).toEqual(routes().sort());
  });

  it('says what a policy is, field by field, wherever one is', () => {
    const { schemas } = (
      openApiDocument() as { components: { schemas: Record<string, Record<string, unknown>> } }
    ).components;
    const properties = (schemas['Policy']?.['properties'] ?? {}) as Record<string, object>;
    expect(Object.keys(properties).sort()).toEqual([...POLICY_FIELDS].sort());
    expect(properties['teaming']).toMatchObject({
      additionalProperties: false,
      properties: { mode: { type: 'string', enum: ['port', 'mac', 'ip-hash', 'explicit', 'load'] } },
    });
    const ref = { $ref: '#/components/schemas/Policy' };
    expect(schemas['OverrideRequest']).toMatchObject({ properties: { override: ref } });
    for (const [view, field] of [
      ['Switch', 'policy'],
      ['PortGroup', 'policy'],
      ['Port', 'override'],
    ] as const)
      expect(schemas[view]).toMatchObject({ properties: { spec: { properties: { [field]: ref } } } });
  });

  it('has only references that resolve, and ids that are unique', () => {
    const text = JSON.stringify(openApiDocument());
    const document = openApiDocument() as { components: Record<string, Record<string, unknown>> };
    for (const [, kind, name] of text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)) {
      expect(document.components[kind!]?.[name!]).toBeDefined();
    }
    const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map((m) => m[1]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
