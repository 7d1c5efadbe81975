import { memo, useRef, useState } from 'react'
import { formatTime } from '../frame/format.ts'
import type { Band } from '../frame/series.ts'

interface BandsProps {
  bands: Band[]
  span: [from: number, to: number]
  /** The time that is pointed at. */
  at: number | null
  onCursor: (at: number | null) => void
  onZoom?: (from: number, to: number) => void
}

/** States over time: a band for each enum, in its colours, below what else is drawn of the same time. */
export function Bands({ bands, span: [from, to], at, onCursor, onZoom }: BandsProps) {
  const box = useRef<HTMLDivElement>(null)
  const [begun, setBegun] = useState<number>()
  const timeOf = (event: React.PointerEvent) => {
    const { left, width } = box.current!.querySelector('svg')!.getBoundingClientRect()
    return from + Math.min(1, Math.max(0, (event.clientX - left) / width)) * (to - from)
  }
  const end = (event: React.PointerEvent) => {
    if (begun !== undefined && Math.abs(timeOf(event) - begun) > (to - from) / 200) onZoom?.(Math.min(begun, timeOf(event)), Math.max(begun, timeOf(event)))
    setBegun(undefined)
  }
  const states = new Map(bands.flatMap((band) => band.states.map((state, i) => [state.text, colorIn(band, i)])))
  const percent = (time: number) => `${(100 * (time - from)) / (to - from)}%`
  return (
    <div className="bands" ref={box} onPointerLeave={() => (onCursor(null), setBegun(undefined))} onPointerDown={(event) => setBegun(timeOf(event))}
      onPointerMove={(event) => onCursor(timeOf(event))} onPointerUp={end}>
      {bands.map((band, i) => (
        <div key={i} className="band">
          <span><span>{band.title}</span> <b>{stateAt(band, at)}</b></span>
          <svg role="img" aria-label={`States of ${band.title}`}>
            <Pieces band={band} from={from} to={to} />
            {at !== null && at >= from && at <= to && <line x1={percent(at)} x2={percent(at)} y1="0" y2="100%" />}
          </svg>
        </div>
      ))}
      <ul className="legend" aria-label="States">
        {[...states].map(([text, color]) => <li key={text}><svg className="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" rx="3" fill={color} /></svg>{text}</li>)}
      </ul>
    </div>
  )
}

/** What a band is made of, drawn anew only with that: not for every move over it. */
const Pieces = memo(({ band, from, to }: { band: Band; from: number; to: number }) => {
  const inSight = piecesOf(band, to).filter((piece) => piece.to > from && piece.from < to)
  return inSight.map((piece) => {
    const [left, right] = [Math.max(from, piece.from), Math.min(to, piece.to)]
    return (
      <rect key={piece.from} x={`${(100 * (left - from)) / (to - from)}%`} width={`${(100 * (right - left)) / (to - from)}%`} height="100%" fill={colorIn(band, piece.state)}>
        <title>{`${band.states[piece.state]?.text ?? piece.state} from ${formatTime(piece.from)}`}</title>
      </rect>
    )
  })
})

const colorIn = (band: Band, state: number) => band.states[state]?.color ?? `var(--line-${(state % 8) + 1})`

function stateAt(band: Band, at: number | null): string {
  const row = at === null ? band.values.length - 1 : band.times.findLastIndex((time) => time <= at)
  const state = band.values[row]
  return state === null || state === undefined ? '–' : (band.states[state]?.text ?? String(state))
}

/** Where a band has the same state, as one. A state lasts until the next, the last one as long as those before. */
function piecesOf({ times, values }: Band, end: number): { state: number; from: number; to: number }[] {
  const pieces: { state: number; from: number; to: number }[] = []
  const usual = times.length > 1 ? (times.at(-1)! - times[0]) / (times.length - 1) : end - times[0]
  values.forEach((state, row) => {
    if (state === null) return
    const to = times[row + 1] ?? times[row] + usual
    const last = pieces.at(-1)
    if (last?.state === state && last.to === times[row]) last.to = to
    else pieces.push({ state, from: times[row], to })
  })
  return pieces
}
