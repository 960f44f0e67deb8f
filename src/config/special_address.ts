/**
 * Which addresses are special: not those of a server on the internet (RFC 6890 and the registries of IANA). A package
 * that knows them takes longer to load than everything else here.
 *
 * @module
 */

/** Why an address is special. */
export type AddressKind =
  | "loopback"
  | "private"
  | "link-local"
  | "unique local"
  | "carrier-grade NAT"
  | "unspecified"
  | "multicast"
  | "reserved";

/** The ranges; of two that hold an address, the first decides. */
const CIDRS: readonly (readonly [kind: AddressKind, cidrs: string])[] = [
  ["unspecified", "0.0.0.0/8 ::/128"],
  ["loopback", "127.0.0.0/8 ::1/128"],
  ["private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16"],
  ["link-local", "169.254.0.0/16 fe80::/10"],
  ["unique local", "fc00::/7"],
  ["carrier-grade NAT", "100.64.0.0/10"],
  ["multicast", "224.0.0.0/4 ff00::/8"],
  [
    "reserved",
    "192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.175.48.0/24 198.18.0.0/15 " +
    "198.51.100.0/24 203.0.113.0/24 240.0.0.0/4",
  ],
  // The addresses that carry IPv4 ones, those for documentation, and those that nothing public answers on.
  [
    "reserved",
    "::/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 " +
    "3fff::/20 5f00::/16 fec0::/10",
  ],
];

/** The same in numbers, IPv4 in ::ffff:0:0/96: what an address and a range have in common lies above the host's bits. */
const RANGES = CIDRS.flatMap(([kind, cidrs]) =>
  cidrs.split(" ").map((cidr) => {
    const [base = "", length] = cidr.split("/");
    const hostBits = BigInt((base.includes(":") ? 128 : 32) - Number(length));
    return { kind, hostBits, network: (toNumber(base) ?? 0n) >> hostBits };
  })
);

/**
 * What is special about an address.
 *
 * @param host An address as the URL parser writes it, without brackets; or a name.
 * @returns The kind, or `undefined` for a public address and for what is no address.
 */
export function specialKindOf(host: string): AddressKind | undefined {
  const address = toNumber(host);
  if (address === undefined) return undefined;
  return RANGES.find(({ hostBits, network }) => address >> hostBits === network)?.kind;
}

/** The 128 bits of an address; `undefined` for what is none. */
function toNumber(text: string): bigint | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const bytes = text.split(".").map(Number);
    return bytes.every((byte) => byte < 256)
      ? bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0xffffn)
      : undefined;
  }
  if (!/^[0-9a-f:]+$/i.test(text)) return undefined;
  const [head = "", tail, more] = text.split("::");
  const parts = (side: string) => side === "" ? [] : side.split(":");
  const before = parts(head);
  const after = parts(tail ?? "");
  const missing = 8 - before.length - after.length;
  if (more !== undefined || (tail === undefined ? missing !== 0 : missing < 0)) return undefined;
  const words = [...before, ...Array.from({ length: missing }, () => "0"), ...after];
  if (!words.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return undefined;
  return words.reduce((sum, word) => sum << 16n | BigInt(`0x${word}`), 0n);
}
