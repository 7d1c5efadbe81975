import { json, jsonParseLinter } from '@codemirror/lang-json'
import { linter } from '@codemirror/lint'

/** JSON, with a mark where it is none. */
export const language = [json(), linter(jsonParseLinter(), { delay: 300 })]
