/** Few values, so that policies and frames meet often. */
export const VLANS = [100, 200, 300] as const;
export const PRIMARY = 500;
/** That copies bear. */
export const MIRROR_VLAN = 400;
export const SECONDARIES = { isolated: 501, red: 502, blue: 503 } as const;

const byte = (n: number): string => n.toString(16).padStart(2, '0');

export const macOf = (n: number): string => `02:00:00:00:00:${byte(n)}`;
export const extraMacOf = (n: number): string => `02:00:00:00:01:${byte(n)}`;
/** Of guests within a guest. */
export const NESTED_MACS = ['02:00:00:00:02:01', '02:00:00:00:02:02', '02:00:00:00:02:03'] as const;
export const SHARED_MACS = ['00:00:5e:00:01:01', '00:00:5e:00:01:02'] as const;
export const OUTSIDERS = ['02:00:00:00:0f:01', '02:00:00:00:0f:02'] as const;
export const MULTICAST = '01:00:5e:00:00:fb';
export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const RESERVED = ['01:80:c2:00:00:00', '01:80:c2:00:00:0e'] as const;

/** Addresses of a port, and of whoever is no port: its number is 0. */
export const ipv4Of = (n: number): string => (n === 0 ? '10.0.1.9' : `10.0.0.${n}`);
export const ipv6Of = (n: number): string => (n === 0 ? '2001:db8:1::9' : `2001:db8::${n.toString(16)}`);
export const linkLocalOf = (n: number): string => `fe80::${n.toString(16)}`;

/** Two with one MAC in common, and one of the link, which is everybody's. */
export const GROUPS_4 = ['239.1.1.1', '239.129.1.1', '224.0.1.9', '224.0.0.251'] as const;
export const GROUPS_6 = ['ff15::1:1', 'ff0e::2:1:1', 'ff15::7', 'ff02::fb'] as const;

export const PORTS = [22, 53, 80, 443] as const;
export const DSCPS = [0, 10, 46] as const;
export const PRIORITIES = [0, 3, 5] as const;
