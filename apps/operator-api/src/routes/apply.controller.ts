import { Body, Controller, Headers, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { type IncomingHttpHeaders } from 'node:http';
import { ProblemError, unwrap } from '#kernel';
import { type WriteResult } from '#contracts/http';
import { YamlText } from '../http/body.js';
import { writeMeta } from '../http/meta.js';
import { type Manifest } from '../manifest/manifest.js';
import { parseJsonResources, parseYamlResources } from '../manifest/parse.js';
import { WriteService } from '../writes/write.service.js';
import { ApplyQuery } from './dto.js';

@Controller('v1/apply')
export class ApplyController {
  constructor(@Inject(WriteService) private readonly writes: WriteService) {}

  @Post()
  @HttpCode(200)
  async apply(
    @Body() body: object,
    @Query() query: ApplyQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const manifest = unwrap(
      body instanceof YamlText ? parseYamlResources(body.text) : parseJsonResources(body),
    );
    const meta = writeMeta(headers, query.wait, query.reason);
    const command = { type: 'Apply', resources: manifest.resources } as const;
    const stated = manifest.resources.map((r) => `${r.kind}/${r.name}`);
    try {
      if (query.dryRun === true) return this.writes.dryRun(command, meta.actor, stated);
      return await this.writes.run(command, meta, stated);
    } catch (fault) {
      throw relocated(fault, manifest);
    }
  }
}

const relocated = (fault: unknown, manifest: Manifest): unknown =>
  fault instanceof ProblemError ? new ProblemError(manifest.locate(fault.problem), { cause: fault }) : fault;
