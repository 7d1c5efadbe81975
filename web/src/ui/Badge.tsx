import { useQuery } from '@tanstack/react-query'
import { health } from '../api/queries.ts'
import type { State } from '../api/types.ts'
import { useSeen } from './seen.ts'

export type Tone = '' | 'good' | 'warn' | 'bad'

/** A word with a colour that says how well things are. */
export function Badge({ tone = '', children }: { tone?: Tone; children: React.ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>
}

const tones: Record<State, Tone> = {
  'no backend': '', stopped: '', starting: 'warn', ready: 'good', degraded: 'warn', 'backing-off': 'bad', quarantined: 'bad',
}

export const StateBadge = ({ state }: { state: State }) => <Badge tone={tones[state]}>{state}</Badge>

/** The health of a data source, which is asked for when it comes into sight. */
export function HealthBadge({ uid }: { uid: string }) {
  const [element, seen] = useSeen<HTMLSpanElement>()
  const { data, error } = useQuery({ ...health(uid), enabled: seen })
  const [tone, word] = wordOf(data?.status, error)
  return <span ref={element} className="health" title={data?.message ?? error?.message}><Badge tone={tone}>{word}</Badge></span>
}

function wordOf(status: string | undefined, error: Error | null): [Tone, string] {
  if (status === undefined) return error ? ['bad', 'no answer'] : ['', 'checking']
  return status === 'OK' ? ['good', 'healthy'] : status === 'UNKNOWN' ? ['', 'unknown'] : ['bad', 'ill']
}
