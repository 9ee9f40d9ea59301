/** `leadergroup/controllers`: a set of controllers that run while this process leads. */
export { startWhileLeading } from '../client-go/controllers/start-while-leading.ts'
export type {
  ControllerOptions,
  StartController,
  StopController,
} from '../client-go/controllers/start-while-leading.ts'
