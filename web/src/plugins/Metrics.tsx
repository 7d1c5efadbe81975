import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { request } from '../api/http.ts'
import { Graph } from '../explore/Graph.tsx'
import type { Field, Frame } from '../frame/frame.ts'
import { Failed } from '../ui/states.tsx'
import { rates, readSample, type Sample } from './metrics.ts'

// Ten minutes of samples.
const every = 2_000
const most = 300

/** What a plugin's process uses and does, from when the page was opened. */
export default function Metrics({ id }: { id: string }) {
  const path = `/api/plugins/${encodeURIComponent(id)}/metrics`
  const { data, error } = useQuery({
    queryKey: ['plugins', id, 'metrics'],
    queryFn: async ({ signal }) => readSample(await (await request(path, { signal })).text(), Date.now()),
    refetchInterval: every, gcTime: 0,
  })
  const [samples, setSamples] = useState<Sample[]>([])
  useEffect(() => {
    if (data) setSamples((was) => [...was, data].slice(-most))
  }, [data])
  const frame = useMemo(() => frameOf(samples), [samples])
  return (
    <section className="card" aria-labelledby="metrics">
      <header><h2 id="metrics">Metrics</h2><a href={path}>All as text</a></header>
      {error && <Failed error={error} />}
      {!error && (samples.length < 2 ? <p className="hint">Watching…</p> : frame.fields.length > 1 ? <Graph frames={[frame]} range={[0, 240_000]} live /> : <p className="quiet">The plugin tells nothing of its process.</p>)}
    </section>
  )
}

function frameOf(samples: Sample[]): Frame {
  const field = (name: string, unit: string, values: (number | null)[]): Field => ({ name, type: 'number', config: { unit }, values })
  const fields = [
    field('CPU', 'percent', rates(samples, (s) => s.cpuSeconds && s.cpuSeconds * 100)),
    field('memory', 'bytes', samples.map((s) => s.memory ?? null)),
    field('requests', 'reqps', rates(samples, (s) => s.requests)),
    field('failed', 'reqps', rates(samples, (s) => s.failed)),
  ].filter((f) => f.values.some((value) => value !== null))
  return { name: 'metrics', refId: '', meta: {}, length: samples.length, fields: [{ name: 'time', type: 'time', config: {}, values: samples.map((s) => s.at) }, ...fields] }
}
