namespace Serve.Runtime.Workers.Processes;

/// <summary>The first line on a worker's standard input, as JSON. After it come the lines below, and the end, which means: die at once.</summary>
/// <param name="WorkerId">Its id, which is its process id in routes.</param>
/// <param name="Token">What callers present.</param>
/// <param name="LogFile">Where its output goes from now on.</param>
/// <param name="ParentPid">The node's process id in the operating system.</param>
/// <param name="ListensLater">Whether it serves HTTP and gRPC only when it is told <see cref="ListenLine"/>, which it answers with another <see cref="WorkerReadyMessage"/>.</param>
internal sealed record WorkerHandshakeMessage(string WorkerId, string Token, string LogFile, int ParentPid, bool ListensLater = false)
{
    /// <summary>Asks the worker to end by itself.</summary>
    public const string StopLine = "stop";

    /// <summary>Asks the worker to serve HTTP and gRPC.</summary>
    public const string ListenLine = "listen";

    /// <summary>Asks the worker whether it lives.</summary>
    public const string PingLine = "ping";

    /// <summary>Its answer to that, on its standard output.</summary>
    public const string PongLine = "pong";
}
