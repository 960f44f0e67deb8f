/**
 * Who may use the gateway: the keys of the settings and of the configuration together, those with tokens, or this
 * machine alone.
 *
 * @module
 */

import { type GatewayKey, hasEnded } from "../callers/keys.ts";
import { FaultList } from "../config/config_checks.ts";
import type { JwtConfig } from "../config/jwt_config.ts";
import { describeTooManyKeys, parseKeyEnd } from "../config/key_config.ts";
import type { PortolanConfig } from "../server_config.ts";
import { isLoopbackHost } from "./host_check.ts";
import type { Settings } from "./settings.ts";

/** Who may use the gateway. */
export interface AccessRule {
  /** The keys by agent, where there are any. */
  readonly keys?: Readonly<Record<string, readonly GatewayKey[]>> | undefined;
  /** Whose tokens are taken, where any are. */
  readonly jwt?: readonly JwtConfig[] | undefined;
  /** Where callers reach the gateway, where that is known. */
  readonly publicUrl?: string | undefined;
  /** Whether loopback peers are served without key and token; then nobody else is served. */
  readonly open?: "loopback" | undefined;
}

/**
 * Decides who may use the gateway. Without a key it is served to this machine alone, and only where somebody chose
 * that: by listening on a loopback address, or by `PORTOLAN_ALLOW_OPEN=loopback`.
 *
 * @param settings The settings.
 * @param config The configuration.
 * @param binding Whether the gateway binds to `settings.host` by itself, and the clock.
 * @returns The keys and the issuers of tokens, or that loopback peers are served without either.
 * @throws {ConfigError} If a key is for no configured agent, an agent has more than two good keys, tokens have no
 * audience, or there is neither key, issuer, nor such a choice (`invalid_config`).
 */
export function decideAccess(
  settings: Settings,
  config: PortolanConfig,
  binding: { readonly bindsItself: boolean; readonly now?: (() => number) | undefined },
): AccessRule {
  const faults = new FaultList();
  const agents = Object.keys(config.agents);
  const nowMs = (binding.now ?? Date.now)();
  const keys = new Map<string, readonly GatewayKey[]>();
  const sources = [["PORTOLAN_KEYS", "env", settings.keys], ["keys", "file", config.keys ?? {}]] as const;
  for (const [path, source, list] of sources) {
    for (const [agent, items] of Object.entries(list)) {
      if (agent !== "*" && !agents.includes(agent)) faults.addUnknown(path, "agent", agent, agents);
      const added = items.map((item) => ({ ...(typeof item === "string" ? { digest: item } : item), source }));
      keys.set(agent, [...keys.get(agent) ?? [], ...added]);
    }
  }
  for (const [agent, list] of keys) {
    const good = list.filter(({ expiresAt }) => !hasEnded({ expiresAtMs: parseKeyEnd(expiresAt ?? "") }, nowMs));
    const fault = describeTooManyKeys(agent, new Set(good.map(({ digest }) => digest.toLowerCase())).size);
    if (fault !== undefined) faults.add(Object.hasOwn(config.keys ?? {}, agent) ? "keys" : "PORTOLAN_KEYS", fault);
  }
  const publicUrl = settings.publicUrl ?? config.publicUrl;
  const jwt = config.jwt ?? [];
  if (publicUrl === undefined && jwt.some(({ audience }) => audience === undefined)) {
    faults.add("publicUrl", 'Missing: write where callers reach the gateway, or an "audience" for every issuer');
  }
  const hasKeys = [...keys.values()].some((list) => list.length > 0);
  if (!hasKeys && jwt.length === 0 && !settings.allowOpen && !(binding.bindsItself && isLoopbackHost(settings.host))) {
    faults.add(
      binding.bindsItself ? "PORTOLAN_HOST" : "PORTOLAN_KEYS",
      "Cannot serve other machines without keys: " +
        'set PORTOLAN_KEYS to "<agent>=sha256:<digest>" (printf %s "$KEY" | sha256sum tells the digest of a key), ' +
        (binding.bindsItself
          ? "or listen on 127.0.0.1"
          : "or serve this machine alone with PORTOLAN_ALLOW_OPEN=loopback"),
    );
  }
  faults.throwIfAny();
  return {
    ...(hasKeys && { keys: Object.fromEntries(keys) }),
    ...(jwt.length > 0 && { jwt }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(!hasKeys && jwt.length === 0 && { open: "loopback" }),
  };
}
