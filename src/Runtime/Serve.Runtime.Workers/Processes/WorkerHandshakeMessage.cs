namespace Serve.Runtime.Workers.Processes;

/// <summary>First line on a worker's standard input, as JSON. The lines below follow; end of input means: exit immediately.</summary>
/// <param name="WorkerId">Its id, which other processes know it by.</param>
/// <param name="Token">What connecting processes present.</param>
/// <param name="LogFile">File that receives its output from now on.</param>
/// <param name="ListensLater">Whether it starts its services only after <see cref="ListenLine"/>, which it answers with another <see cref="WorkerReadyMessage"/>.</param>
internal sealed record WorkerHandshakeMessage(string WorkerId, string Token, string LogFile, bool ListensLater = false)
{
    /// <summary>Requests the worker to stop.</summary>
    public const string StopLine = "stop";

    /// <summary>Requests the worker to start its services, so that it can host replicas.</summary>
    public const string ListenLine = "listen";

    /// <summary>Checks whether the worker is alive.</summary>
    public const string PingLine = "ping";

    /// <summary>The beginning of the reply to <see cref="PingLine"/>, on its standard output; the number of completed work items of its thread pool follows.</summary>
    public const string PongLine = "pong ";
}
