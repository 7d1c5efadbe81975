import { Elapsed } from '../ui/Elapsed.tsx'
import { Icon } from '../ui/icons.tsx'
import type { Orders, PossibleOrder } from './orders.ts'

/** A button that gives an order, and shows that it is being obeyed. */
export function OrderButton({ orders, possible, primary = false }: { orders: Orders; possible: PossibleOrder; primary?: boolean }) {
  const mine = orders.busy === possible.order
  return (
    <button type="button" className={`button ${primary ? 'primary' : ''}`} disabled={orders.busy !== undefined} onClick={() => orders.give(possible.order)}>
      {mine ? <span className="spinner" /> : <Icon name={possible.icon} />}
      {possible.title}{mine && <Elapsed />}
    </button>
  )
}
