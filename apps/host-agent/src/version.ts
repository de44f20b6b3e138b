/** Version that the agent reports. */
export const VERSION = '0.1.0';
