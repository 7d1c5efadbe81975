// Moments in a graph at which something happened.
import type uPlot from 'uplot'

export interface Mark {
  /** Unix milliseconds. */
  at: number
  title: string
  /** The name of a colour of the style sheet. */
  color: string
}

/** The same marks for a graph below, where nothing needs to be said again. */
export const untitled = (marks?: Mark[]) => marks?.map((mark) => ({ ...mark, title: '' }))

/** Draws marks that are in order of time: from top to bottom, and above what they mean where there is room, the last first. */
export function drawMarks(u: uPlot, marks: Mark[], color: (name: string) => string) {
  const { ctx, bbox } = u
  const { min = 0, max = 0 } = u.scales.x
  ctx.save()
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio])
  ctx.textAlign = 'center'
  ctx.textBaseline = 'bottom'
  let free = Infinity
  for (const mark of marks.filter(({ at }) => at >= min && at <= max).reverse()) {
    const x = Math.round(u.valToPos(mark.at, 'x', true))
    ctx.strokeStyle = ctx.fillStyle = color(mark.color)
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    const half = ctx.measureText(mark.title).width / 2 + 3 * devicePixelRatio
    const middle = Math.min(x, bbox.left + bbox.width - half)
    if (middle + half > free) continue
    ctx.fillText(mark.title, middle, bbox.top)
    free = middle - half
  }
  ctx.restore()
}
