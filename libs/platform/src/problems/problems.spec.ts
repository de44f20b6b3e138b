import { invalid, problem, ProblemError, type ProblemCode } from '#kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Param, Post, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RpcException } from '@nestjs/microservices';
import { IsInt } from 'class-validator';
import { correlationMiddleware } from '../http/correlation.middleware.js';
import { problemFromError } from './from-error.js';
import { HttpProblemFilter } from '../http/problem.filter.js';
import { problemValidationPipe } from '../http/validation.js';

class Input {
  @IsInt()
  vlan!: number;
}

@Controller()
class Routes {
  @Get('fail/:code')
  fail(@Param('code') code: ProblemCode): never {
    throw new ProblemError(problem(code, `it is ${code}`));
  }
  @Get('defect')
  defect(): never {
    throw new TypeError('inner detail');
  }
  @Get('field')
  field(): never {
    throw new ProblemError(invalid('spec.vlan', 4095, 'is not a VLAN id', 'an integer from 1 to 4094'));
  }
  @Post('input')
  input(@Body() body: Input): Input {
    return body;
  }
}
@Module({ controllers: [Routes] })
class App {}

let app: INestApplication;
let url: string;
beforeAll(async () => {
  app = await NestFactory.create(App, { logger: false });
  app.use(correlationMiddleware);
  app.useGlobalFilters(new HttpProblemFilter());
  app.useGlobalPipes(problemValidationPipe());
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
afterAll(() => app.close());

const json = (body: string) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body,
});

describe('problems over HTTP', () => {
  it.each<[ProblemCode, number]>([
    ['invalid', 400],
    ['not-found', 404],
    ['conflict', 409],
    ['forbidden', 403],
    ['fenced', 409],
    ['refused', 422],
    ['unavailable', 503],
    ['unknown', 504],
    ['internal', 500],
  ])('%s is %d', async (code, status) => {
    const response = await fetch(`${url}/fail/${code}`, { headers: { 'x-correlation-id': 'c-9' } });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(response.headers.get('retry-after')).toBe(code === 'unavailable' ? '1' : null);
    expect(await response.json()).toMatchObject({
      type: `urn:portolan:problem:${code}`,
      status,
      detail: `it is ${code}`,
      code,
      correlationId: 'c-9',
    });
  });

  it('names field, value, reason and what is right', async () => {
    const response = await fetch(`${url}/field`);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      errors: [
        {
          field: 'spec.vlan',
          value: '4095',
          reason: 'is not a VLAN id',
          expected: 'an integer from 1 to 4094',
        },
      ],
    });
  });

  it('tells nothing of a defect but that it is one', async () => {
    const response = await fetch(`${url}/defect`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('inner detail');
  });

  it('refuses bodies that are malformed, wrong or have unknown properties', async () => {
    expect((await fetch(`${url}/input`, json('{"vlan":'))).status).toBe(400);
    const wrong = await fetch(`${url}/input`, json('{"vlan":"x","colour":1}'));
    expect(wrong.status).toBe(422);
    const body = (await wrong.json()) as { errors: { field: string }[] };
    expect(body.errors.map((e) => e.field).sort()).toEqual(['colour', 'vlan']);
    expect((await fetch(`${url}/input`, json('{"vlan":7}'))).status).toBe(201);
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
  });
});

describe('problemFromError', () => {
  it('unwraps what Nest wraps', () => {
    const p = problem('fenced', 'old epoch');
    expect(problemFromError(new RpcException(p))).toEqual(p);
    expect(problemFromError('text')).toMatchObject({ code: 'internal' });
    expect(problemFromError({ code: 'nonsense', message: 'x', retry: false, details: [] })).toMatchObject({
      code: 'internal',
    });
  });
});
