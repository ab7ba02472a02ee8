namespace Serve;

/// <summary>
/// Says that a method blocks its thread: native code, <c>Thread.Sleep</c>, synchronous I/O. It then runs on a dedicated thread,
/// so the shared pool never starves. Turns still hold: no other turn of the same replica runs beside it.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BlockingAttribute : Attribute;
