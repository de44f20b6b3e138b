import { dropping, GROUP, withFilter } from '../ovn/our-manifest.js';
import { type OurSide } from '../ovn/our-side.js';
import { ALL, GROUP as PEER_GROUP } from '../ovn/ovn-words.js';
import { type OvnSide } from '../ovn/ovn-side.js';

/** Whether the switch keeps state of connections, so that the frames which are to stop belong to one. */
export type Kind = 'stateless' | 'established';

const UDP = 17;
/** The rule that always stands, on both sides. */
const STANDING = 999;

/** How either side is told what may pass. Each resolves when every host has said that it carries it out. */
export interface Gate {
  begin(kind: Kind): Promise<void>;
  /** No more to this UDP port of any guest. */
  stop(port: number): Promise<void>;
  resume(port: number): Promise<void>;
}

/** The group's whole filter each time, as operators write it. */
export function ourGate(side: OurSide, hosts: number): Gate {
  let kind: Kind = 'stateless';
  const apply = (stopped: readonly number[]): Promise<void> => {
    const rules = [...stopped.map((port) => dropping(port, UDP)), dropping(STANDING)];
    const filter = kind === 'stateless' ? rules : { stateful: true, default: 'allow', rules };
    return side.apply(withFilter([GROUP], filter), hosts);
  };
  return {
    begin: async (wanted) => {
      if (wanted === kind) return;
      kind = wanted;
      await apply([]);
    },
    stop: (port) => apply([port]),
    resume: () => apply([]),
  };
}

/** `stopByCommand`: as `stop`, by a command that is started for it. */
export function peerGate(side: OvnSide): Gate & { readonly stopByCommand: Gate['stop'] } {
  let kind: Kind = 'stateless';
  const drop = (port: number) => [PEER_GROUP, 'to-lport', '1000', `outport == ${ALL} && udp.dst == ${port}`];
  const everything = [
    [PEER_GROUP, 'to-lport', '900', `outport == ${ALL} && ip`],
    [PEER_GROUP, 'from-lport', '900', `inport == ${ALL} && ip`],
  ];
  return {
    begin: async (wanted) => {
      if (wanted === kind) return;
      kind = wanted;
      await side.commit(
        everything.map((acl) =>
          kind === 'stateless' ? ['acl-del', ...acl] : ['acl-add', ...acl, 'allow-related'],
        ),
      );
    },
    stop: (port) => side.commit([['acl-add', ...drop(port), 'drop']]),
    resume: (port) => side.commit([['acl-del', ...drop(port)]]),
    stopByCommand: (port) => side.command([['acl-add', ...drop(port), 'drop']]),
  };
}
