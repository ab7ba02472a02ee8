using Serve.Cli;
using Serve.Cli.Hosting;
using Serve.Cli.Verbs;
using Serve.Runtime;

// Before anything else is loaded: a worker's start counts.
if (args is [NodeProcessServices.WorkerVerb])
{
    await WorkerProcessHost.RunAsync(services => services.AddServeProcess().AddWorkerLogging());
    return CliExitCode.Ok;
}

using var signals = new ShutdownSignalHandler(TimeProvider.System);
return await ServeRootCommand.RunAsync(args, CommandConsole.Standard(), signals.Tokens);
