/** How long a port's word holds, and the quiet after a question of our own or of a router. */
export const TIMES = {
  /** Twice the time between questions, and the time to answer. */
  holds: 260_000,
  /** After a question about a group that somebody left. */
  left: 2_000,
  /** Between our own questions. */
  asks: 125_000,
  /** Other routers ask as often: theirs may be a little late. */
  afterOthers: 155_000,
  /** How often it is looked whether something is due. */
  looks: 15_000,
  /** To answer: soon where nothing is known of a port. */
  answersSoon: 1_000,
  answers: 10_000,
  /** A port that came is asked twice, as an answer may be lost; then it is settled. */
  again: 1_000,
  settles: 2_500,
} as const;
