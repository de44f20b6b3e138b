import { err, invalid, ok, parseHostName, type Result } from '#kernel';

/** Users of the core account, one a service. */
export const CORE_USERS = ['manager', 'coordinator', 'api'] as const;
export type CoreUser = (typeof CORE_USERS)[number];

export const CORE_ACCOUNT = 'CORE';
export const SYSTEM_ACCOUNT = 'SYS';

/**
 * A host's account has the host's own name, since `account_token_position` compares a subject's token with it.
 * Host names are lower case, so they never meet CORE or SYS.
 */
export const hostAccount = (host: string): string => host;
/** `host.` can't be in a service's user name, so no host can be called by one. */
export const hostUser = (host: string): string => `host.${host}`;
export const HOST_INBOX = '_INBOX.agent';
export const coreInbox = (user: CoreUser): string => `_INBOX.${user}`;

/** Host names as given, checked and without doubles. */
export function checkHosts(hosts: readonly string[]): Result<readonly string[]> {
  const seen = new Set<string>();
  for (const [i, host] of hosts.entries()) {
    const parsed = parseHostName(host, `hosts[${i}]`);
    if (!parsed.ok) return parsed;
    if (seen.has(host)) return err(invalid(`hosts[${i}]`, host, 'is named twice', 'each host once'));
    seen.add(host);
  }
  return ok(hosts);
}
