namespace Serve.Calls;

/// <summary>A ref that stands for its value among the arguments of a call; unlike a ref that is itself the value.</summary>
/// <param name="Reference">The ref.</param>
public sealed record ObjectRefArgument(ObjectRef Reference);
