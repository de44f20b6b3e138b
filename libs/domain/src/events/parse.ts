import { ok, type Result } from '#kernel';
import { type DomainEvent } from '../model/events.js';
import { parseWith, tagged, type Shape } from '../shape/shape.js';
import { EVENT_SHAPES } from './shapes.js';

const eventShape: Shape<DomainEvent> = tagged<DomainEvent>('type', EVENT_SHAPES);

/**
 * An event as it was stored, in its newest version (`type` and its fields in one object). A corrupt one is a problem
 * that names the field. What is complete and in normal form, as everything that this code wrote, is taken as it is.
 */
export function parseEvent(value: unknown): Result<DomainEvent> {
  return eventShape.is(value) ? ok(value) : parseWith(eventShape, value);
}
