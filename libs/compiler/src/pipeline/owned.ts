import { type OwnedPieces, type Piece } from '#openflow';

/** The pieces of all features, in their order, with the tables that they write to. */
export function owned(list: readonly Piece[]): OwnedPieces {
  const tables = new Set<number>();
  for (const { flows } of list) for (const { table } of flows) tables.add(table);
  return { list, tables };
}
