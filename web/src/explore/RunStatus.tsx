import { useEffect, useState } from 'react'
import { formatBytes, formatCount, formatSeconds } from '../frame/format.ts'
import type { Run } from './ask.ts'

/** How a run goes: how long it takes, or what it brought. */
export function RunStatus({ run }: { run: Run }) {
  if (run.phase === 'running') return <Elapsed since={run.since} />
  if (run.phase === 'cancelled') return <span className="run-status" role="status">Cancelled</span>
  if (run.phase !== 'done') return <span className="run-status" role="status" />
  const { took, rows, bytes } = run.answer
  return (
    <span className="run-status" role="status">
      {formatSeconds(took / 1000, 0)} · {formatCount(rows)} {rows === 1 ? 'row' : 'rows'} · {formatBytes(bytes)}
    </span>
  )
}

function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(since)
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 100)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.max(0, now - since) / 1000
  return <span className="run-status running"><span className="spinner" />{seconds.toFixed(1)} s</span>
}
