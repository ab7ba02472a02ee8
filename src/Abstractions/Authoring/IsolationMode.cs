namespace Serve;

/// <summary>The process that hosts a replica. Requests and calls work the same way in all of them.</summary>
public enum IsolationMode
{
    /// <summary>The node's own process: calls are method calls, and a debugger can attach. The default of <c>serve run</c>.</summary>
    None,

    /// <summary>One worker process per application, which contains crashes. The default of <c>serve deploy</c>.</summary>
    Application,

    /// <summary>One worker process per replica.</summary>
    Replica,
}
