import { useQuery } from '@tanstack/react-query'
import { health } from '../api/queries.ts'
import type { State } from '../api/types.ts'

export type Tone = '' | 'good' | 'warn' | 'bad'

/** A word with a colour that says how well things are. */
export function Badge({ tone = '', children }: { tone?: Tone; children: React.ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>
}

const tones: Record<State, Tone> = {
  'no backend': '', stopped: '', starting: 'warn', ready: 'good', degraded: 'warn', 'backing-off': 'bad', quarantined: 'bad',
}

export const StateBadge = ({ state }: { state: State }) => <Badge tone={tones[state]}>{state}</Badge>

/** The health of a data source, which is asked for by being shown. */
export function HealthBadge({ uid }: { uid: string }) {
  const { data, error, isPending } = useQuery(health(uid))
  if (isPending) return <Badge>checking</Badge>
  if (error) return <span title={error.message}><Badge tone="bad">no answer</Badge></span>
  if (data.status === 'OK') return <span title={data.message}><Badge tone="good">healthy</Badge></span>
  return <span title={data.message}><Badge tone={data.status === 'UNKNOWN' ? '' : 'bad'}>{data.status === 'UNKNOWN' ? 'unknown' : 'ill'}</Badge></span>
}
