import { useQuery } from '@tanstack/react-query'
import { pluginEvents } from '../api/queries.ts'
import type { LifeEvent } from '../api/types.ts'
import { formatBytes, formatTime } from '../frame/format.ts'
import { StateBadge } from '../ui/Badge.tsx'
import { Failed } from '../ui/states.tsx'
import { spoken } from './lastWords.ts'

/** What a plugin's process went through, latest first, and its last words when it ended. */
export function Life({ id }: { id: string }) {
  const { data, error } = useQuery(pluginEvents(id))
  return (
    <section className="card life" aria-labelledby="life">
      <h2 id="life">History</h2>
      {error && <Failed error={error} />}
      <ol tabIndex={0} aria-labelledby="life">{data?.toReversed().map((event) => <Event key={event.number} event={event} />)}</ol>
    </section>
  )
}

function Event({ event }: { event: LifeEvent }) {
  const { exit } = event
  return (
    <li>
      <div><StateBadge state={event.state} /><time className="quiet" dateTime={event.time}>{formatTime(Date.parse(event.time))}</time>{event.pid && <code className="quiet">{event.pid}</code>}</div>
      {event.reason && <p>{event.reason}</p>}
      {exit && (
        <>
          <p className="quiet">
            {exit.signal ? `Ended by a signal: ${exit.signal}` : `Exit code ${exit.code}`}{exit.outOfMemory && ', out of memory'}{exit.peakRssBytes ? `, had up to ${formatBytes(exit.peakRssBytes)}` : ''}
          </p>
          {exit.stderr.length > 0 && <details><summary>Last words</summary><pre tabIndex={0}>{exit.stderr.map(spoken).join('\n')}</pre></details>}
        </>
      )}
    </li>
  )
}
