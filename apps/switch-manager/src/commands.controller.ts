import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { unwrap } from '#kernel';
import {
  checkCommandRequest,
  checkStatusRequest,
  checkWaitRequest,
  SUBJECTS,
  type CommandResponse,
  type StatusResponse,
  type WaitResponse,
} from '#contracts';
import { PortolanNatsContext } from '#platform/transport';
import { Manager } from './manager.js';

/** What the leader answers. Subscribed only while this copy leads. */
@Controller()
export class CommandsController {
  constructor(private readonly manager: Manager) {}

  @MessagePattern<string>(SUBJECTS.command('execute'))
  async execute(@Payload() payload: unknown): Promise<CommandResponse> {
    return this.manager.execute(unwrap(checkCommandRequest(payload)));
  }

  @MessagePattern<string>(SUBJECTS.command('wait'))
  async wait(@Payload() payload: unknown, @Ctx() context: PortolanNatsContext): Promise<WaitResponse> {
    return this.manager.wait(unwrap(checkWaitRequest(payload)), context.remainingMs());
  }

  @MessagePattern<string>(SUBJECTS.command('status'))
  status(@Payload() payload: unknown): StatusResponse {
    unwrap(checkStatusRequest(payload));
    return this.manager.status();
  }
}
