// What a frame says that it is, beside a table.
import type { Frame } from './frame.ts'

export const isLogs = (frame: Frame) => frame.meta.type === 'log-lines' || frame.meta.preferredVisualisationType === 'logs'

export const isTrace = (frame: Frame) => frame.meta.preferredVisualisationType === 'trace'
