// The names of streams: ds/UID/PATH and plugin/ID/PATH.

export interface Parts {
  /** "ds/UID" or "plugin/ID". */
  of: string
  path: string
}

/** What a channel consists of, if the text is one. */
export function partsOf(channel: string): Parts | undefined {
  const found = /^((?:ds|plugin)\/[^/]+)\/(.*)$/.exec(channel.trim())
  return found ? { of: found[1], path: found[2] } : undefined
}

export const channelOf = (of: string, path: string) => `${of}/${path.trim()}`
