/**
 * Who may use the gateway: the keys of the settings and of the configuration together, or this machine alone.
 *
 * @module
 */

import { FaultList } from "../config/config_checks.ts";
import type { PortolanConfig } from "../server_config.ts";
import { isLoopbackHost } from "./host_check.ts";
import type { Settings } from "./settings.ts";

/** Who may use the gateway. */
export type AccessRule =
  | { readonly keys: Readonly<Record<string, readonly string[]>>; readonly open?: undefined }
  | { readonly keys?: undefined; readonly open: "loopback" };

/**
 * Decides who may use the gateway. Without a key it is served to this machine alone, and only where somebody chose
 * that: by listening on a loopback address, or by `PORTOLAN_ALLOW_OPEN=loopback`.
 *
 * @param settings The settings.
 * @param config The configuration.
 * @param binding Whether the gateway binds to `settings.host` by itself.
 * @returns The keys, or that loopback peers are served without one.
 * @throws {ConfigError} If a key is for no configured agent, or there is no key and no such choice (`invalid_config`).
 */
export function decideAccess(
  settings: Settings,
  config: PortolanConfig,
  binding: { readonly bindsItself: boolean },
): AccessRule {
  const faults = new FaultList();
  const agents = Object.keys(config.agents);
  const keys = new Map<string, readonly string[]>();
  for (const [source, list] of [["PORTOLAN_KEYS", settings.keys], ["keys", config.keys ?? {}]] as const) {
    for (const [agent, digests] of Object.entries(list)) {
      if (agent !== "*" && !agents.includes(agent)) faults.addUnknown(source, "agent", agent, agents);
      keys.set(agent, [...keys.get(agent) ?? [], ...digests]);
    }
  }
  const hasKeys = [...keys.values()].some((digests) => digests.length > 0);
  if (!hasKeys && !settings.allowOpen && !(binding.bindsItself && isLoopbackHost(settings.host))) {
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
  return hasKeys ? { keys: Object.fromEntries(keys) } : { open: "loopback" };
}
