import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { request } from '../api/http.ts'
import { formatNumber } from '../frame/format.ts'
import { Failed, Loading } from '../ui/states.tsx'
import { readMetrics, unitOf } from './metrics.ts'

/** What a plugin counts and measures itself, as it stands now. */
export function Metrics({ id }: { id: string }) {
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  const path = `/api/plugins/${encodeURIComponent(id)}/metrics`
  const { data, error } = useQuery({
    queryKey: ['plugins', id, 'metrics'],
    queryFn: async ({ signal }) => readMetrics(await (await request(path, { signal })).text()),
    refetchInterval: 2_000, gcTime: 0, enabled: open,
  })
  const shown = data?.filter((s) => `${s.name} ${s.labels} ${s.help}`.toLowerCase().includes(text.toLowerCase()))
  return (
    <details className="card metrics" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary><h2>Metrics</h2><span className="quiet">what the plugin itself counts and measures</span></summary>
      {error ? <Failed error={error} /> : !shown ? <Loading /> : data!.length === 0 ? <p className="quiet">It has none.</p> : (
        <>
          <div className="buttons">
            <input type="search" aria-label="Filter the metrics" placeholder="Filter" value={text} onChange={(event) => setText(event.target.value)} />
            <span className="stream-state"><span className="dot open" />Live</span>
            <a href={path}>All as text</a>
          </div>
          <div className="metrics-table" tabIndex={0} role="group" aria-label="Metrics">
            <table className="plain">
              <thead><tr><th>Name</th><th>Value</th></tr></thead>
              <tbody>
                {shown.map((s) => <tr key={s.name + s.labels}><td title={s.help}><code>{s.name}</code> <code className="quiet">{s.labels}</code></td><td>{formatNumber(s.value, unitOf(s.name))}</td></tr>)}
              </tbody>
            </table>
          </div>
          {shown.length === 0 && <p className="quiet">None has that in it.</p>}
        </>
      )}
    </details>
  )
}
