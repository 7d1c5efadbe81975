// What can be told to a plugin's process.
import { useState } from 'react'
import { client, orderPlugin, type Order } from '../api/queries.ts'
import type { Plugin } from '../api/types.ts'
import type { IconName } from '../ui/icons.tsx'
import { toast } from '../ui/toast.tsx'

const icons: Record<Order, IconName> = { start: 'play', restart: 'restart', stop: 'stop' }

const connection: Record<Order, string> = { start: 'Connect', restart: 'Connect anew', stop: 'Disconnect' }

export interface PossibleOrder {
  order: Order
  title: string
  icon: IconName
}

/** What a person may want of a process as it is, the likeliest first. */
export function ordersFor({ process }: Plugin): PossibleOrder[] {
  // Of one that runs elsewhere only the connection is ours.
  const order = (order: Order, title: string) => ({ order, title: process.address ? connection[order] : title, icon: icons[order] })
  switch (process.state) {
    case 'no backend': return []
    case 'quarantined': return [order('start', 'Release from quarantine')]
    case 'stopped': return [order('start', 'Start')]
    case 'backing-off': return [order('start', 'Start now'), order('stop', 'Stop')]
    default: return [order('restart', 'Restart'), order('stop', 'Stop')]
  }
}

/** Gives orders to a plugin, one at a time, and tells why the last one was not obeyed. */
export function useOrders(plugin: Plugin) {
  const [busy, setBusy] = useState<Order>()
  const [error, setError] = useState<Error>()
  const give = async (order: Order) => {
    setBusy(order)
    setError(undefined)
    try {
      toast(`${plugin.name}: ${(await orderPlugin(plugin.id, order)).message}`)
    } catch (error) {
      setError(error as Error)
    }
    await client.invalidateQueries({ queryKey: ['plugins'] })
    setBusy(undefined)
  }
  return { busy, error, give }
}

export type Orders = ReturnType<typeof useOrders>
