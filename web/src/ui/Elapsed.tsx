import { useEffect, useState } from 'react'
import { formatSeconds } from '../frame/format.ts'

/** How long something takes by now, from the second second on. */
export function Elapsed() {
  const [since] = useState(() => performance.now())
  const [now, setNow] = useState(since)
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 500)
    return () => clearInterval(timer)
  }, [])
  return now - since > 900 ? <span className="quiet">{formatSeconds((now - since) / 1000, 0)}</span> : null
}
