import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsDefined,
  IsIn,
  IsISO8601,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { PHASE_DURATIONS } from '#domain';
import {
  type AbortEvacuationRequest,
  type AbortRequest,
  type ConnectRequest,
  type EvacuateRequest,
  type GiveUpRequest,
  type MigrateRequest,
  type MoveRequest,
  type OverrideRequest,
  type ResetRequest,
} from '#contracts/http';

const MIGRATION_PHASES = Object.keys(PHASE_DURATIONS);
const MAX_REVISION = Number.MAX_SAFE_INTEGER;
/** Query texts become numbers only where they are numbers; the rest stays for the validators to name. */
const asNumber = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
const asBoolean = ({ value }: { value: unknown }): unknown =>
  value === 'true' || value === '' ? true : value === 'false' ? false : value;

const revision = { message: 'is not a revision; expected a whole number of 0 or more' };

export class WaitQuery {
  /** Seconds. */
  @IsOptional()
  @Transform(asNumber)
  @IsNumber({}, { message: 'is not a number of seconds' })
  @Min(0)
  @Max(600)
  wait?: number;

  @IsOptional()
  @IsString()
  @Length(1, 500)
  reason?: string;
}

export class ApplyQuery extends WaitQuery {
  @IsOptional()
  @Transform(asBoolean)
  @IsBoolean({ message: 'is neither true nor false' })
  dryRun?: boolean;
}

export class VersionedQuery extends WaitQuery {
  @IsOptional()
  @Transform(asNumber)
  @IsInt(revision)
  @Min(0, revision)
  @Max(MAX_REVISION, revision)
  version?: number;
}

export class PageQuery {
  @IsOptional()
  @IsString()
  @Length(1, 253)
  after?: string;

  @IsOptional()
  @Transform(asNumber)
  @IsInt({ message: 'is not a whole number' })
  @Min(1)
  @Max(10_000)
  limit?: number;
}

export class SwitchQuery extends PageQuery {
  @IsOptional()
  @IsString()
  host?: string;
}

export class UplinkQuery extends SwitchQuery {
  @IsOptional()
  @IsString()
  switch?: string;
}

export class GroupQuery extends PageQuery {
  @IsOptional()
  @IsString()
  switch?: string;
}

export class GroupStatsQuery extends GroupQuery {
  @IsOptional()
  @IsString()
  group?: string;
}

export class PortQuery extends PageQuery {
  @IsOptional()
  @IsString()
  group?: string;

  @IsOptional()
  @IsString()
  switch?: string;

  @IsOptional()
  @IsString()
  host?: string;

  @IsOptional()
  @IsString()
  owner?: string;
}

/** Of what concerns a host and comes to an end. */
export class EvacuationQuery extends PageQuery {
  @IsOptional()
  @IsString()
  host?: string;

  @IsOptional()
  @Transform(asBoolean)
  @IsBoolean({ message: 'is neither true nor false' })
  active?: boolean;
}

export class MigrationQuery extends EvacuationQuery {
  @IsOptional()
  @IsString()
  owner?: string;

  @IsOptional()
  @IsIn(MIGRATION_PHASES, { message: `is not a phase; expected one of ${MIGRATION_PHASES.join(', ')}` })
  phase?: string;

  @IsOptional()
  @IsISO8601({ strict: true }, { message: 'is not a time, as in 2026-03-01T12:00:00Z' })
  since?: string;
}

export class EventsFilter {
  @IsOptional()
  @Matches(/^[A-Z][A-Za-z]{1,40}$/, { message: 'is not an event type, as in PortConnected' })
  type?: string;

  @IsOptional()
  @Matches(/^(port|group|switch|host|set|migration|evacuation)\/\S{1,128}$/, {
    message: 'is not an object, as in port/p1',
  })
  object?: string;

  @IsOptional()
  @Transform(asBoolean)
  @IsBoolean({ message: 'is neither true nor false' })
  quiet?: boolean;
}

export class EventsQuery extends EventsFilter {
  @IsOptional()
  @Transform(asNumber)
  @IsInt(revision)
  @Min(0, revision)
  from?: number;

  @IsOptional()
  @Transform(asNumber)
  @IsInt(revision)
  @Min(0, revision)
  to?: number;

  @IsOptional()
  @Transform(asNumber)
  @IsInt({ message: 'is not a whole number' })
  @Min(1)
  @Max(1000)
  limit?: number;
}

export class RuleLogQuery {
  @IsOptional()
  @IsString()
  host?: string;

  @IsOptional()
  @IsString()
  port?: string;

  @IsOptional()
  @IsString()
  rule?: string;

  @IsOptional()
  @Transform(asNumber)
  @IsInt({ message: 'is not the id of an entry' })
  @Min(0)
  after?: number;

  @IsOptional()
  @Transform(asNumber)
  @IsInt({ message: 'is not a whole number' })
  @Min(1)
  @Max(1000)
  limit?: number;
}

export class ExportQuery {
  @IsOptional()
  @Transform(asNumber)
  @IsInt(revision)
  @Min(1, revision)
  from?: number;

  @IsOptional()
  @Transform(asNumber)
  @IsInt(revision)
  @Min(1, revision)
  to?: number;
}

export class VerifyQuery {
  @IsOptional()
  @Transform(asNumber)
  @IsInt(revision)
  @Min(1, revision)
  asOf?: number;
}

export class RealisedQuery {
  /** Seconds; default 30. */
  @IsOptional()
  @Transform(asNumber)
  @IsNumber({}, { message: 'is not a number of seconds' })
  @Min(0)
  @Max(600)
  timeout?: number;
}

export class StatusQuery {
  /** The digest reads the whole state: who looks often leaves it out. */
  @IsOptional()
  @Transform(asBoolean)
  @IsBoolean({ message: 'is neither true nor false' })
  digest?: boolean;
}

class ConnecteeDto {
  @IsIn(['vm', 'container', 'kernel'], {
    message: 'is not a kind of connectee; expected vm, container or kernel',
  })
  kind!: 'vm' | 'container' | 'kernel';

  @IsString()
  @Length(1, 128)
  ifaceId!: string;

  @IsString()
  mac!: string;

  @IsString()
  @Length(1, 256)
  owner!: string;
}

export class ConnectDto implements ConnectRequest {
  @IsString()
  group!: string;

  @IsOptional()
  @Matches(/^p[1-9][0-9]{0,14}$/, { message: 'is not a port id; expected p and a number, as in p17' })
  port?: string;

  @IsDefined()
  @ValidateNested()
  @Type(() => ConnecteeDto)
  connectee!: ConnecteeDto;
}

export class OverrideDto implements OverrideRequest {
  @IsObject({ message: 'is not a map of policy fields' })
  override!: Record<string, unknown>;

  @IsOptional()
  @IsInt(revision)
  @Min(0, revision)
  version?: number;
}

export class MoveDto implements MoveRequest {
  @IsString()
  @Length(1, 63)
  group!: string;

  @IsOptional()
  @IsInt(revision)
  @Min(0, revision)
  version?: number;
}

export class MigrateDto implements MigrateRequest {
  @IsString()
  @Length(1, 256)
  owner!: string;

  @IsString()
  destination!: string;

  @IsOptional()
  @IsString()
  @Length(1, 500)
  reason?: string;
}

export class GiveUpDto implements GiveUpRequest {
  @IsString()
  @Length(1, 500)
  reason!: string;

  @IsOptional()
  @IsBoolean()
  dead?: boolean;

  @IsOptional()
  @IsBoolean()
  fenced?: boolean;
}

export class ResetDto implements ResetRequest {
  @IsString()
  @Length(1, 500)
  reason!: string;
}

export class AbortDto implements AbortRequest {
  @IsOptional()
  @IsString()
  @Length(1, 500)
  reason?: string;
}

export class EvacuateDto implements EvacuateRequest {
  @IsOptional()
  @IsArray({ message: 'is not a list of hosts' })
  @ArrayMaxSize(10_000)
  @IsString({ each: true })
  to?: string[];

  @IsOptional()
  @IsInt({ message: 'is not a whole number' })
  @Min(1)
  @Max(1000)
  parallel?: number;

  @IsOptional()
  @IsInt({ message: 'is not a whole number' })
  @Min(1)
  @Max(10)
  attempts?: number;

  @IsOptional()
  @IsString()
  @Length(1, 500)
  reason?: string;
}

export class AbortEvacuationDto implements AbortEvacuationRequest {
  @IsOptional()
  @IsString()
  @Length(1, 500)
  reason?: string;

  @IsOptional()
  @IsBoolean({ message: 'is neither true nor false' })
  abortRunning?: boolean;
}

export class EmptyDto {}
