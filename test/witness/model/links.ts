/** What an agent notes of the links of one switch's uplinks, by their names. */
export class Links {
  private live: readonly string[] | undefined;
  /** Went down at some time, the longest ago first: ports without fail-back do not go back to them. */
  late: readonly string[] = [];

  now(live: readonly string[]): void {
    const lost = (this.live ?? []).filter((uplink) => !live.includes(uplink));
    this.late = [...this.late.filter((uplink) => !lost.includes(uplink)), ...lost];
    this.live = live;
  }
}
