namespace Serve.Controller;

/// <summary>The node's state cannot be read or written. The message says which file, what is wrong and what to do; nothing was overwritten.</summary>
public sealed class StateStoreException(string message, Exception? inner = null) : Exception(message, inner);
