namespace Serve;

/// <summary>Which process a replica lives in. The same requests and calls work in all three.</summary>
public enum IsolationMode
{
    /// <summary>The node's own process: calls are method calls, a debugger attaches. The default of <c>serve run</c>.</summary>
    None,

    /// <summary>One worker process per application: a crash stays inside the application. The default of <c>serve deploy</c>.</summary>
    Application,

    /// <summary>A worker process of its own for each replica.</summary>
    Replica,
}
