using Serve.Cli;
using Serve.Cli.Hosting;
using Serve.Cli.Verbs;
using Serve.Runtime;

// Before any culture is used.
GlobalizationModeSelector.Select();

// First, before other assemblies are loaded: the start time of workers matters.
if (args is [NodeProcessServices.WorkerVerb, var stateDirectory])
{
    await WorkerProcessHost.RunAsync(services => services.AddServeProcess(stateDirectory).AddWorkerLogging());
    return CliExitCode.Ok;
}

using var signals = new ShutdownSignalHandler(TimeProvider.System);
return await ServeRootCommand.RunAsync(args, CommandConsole.Standard(), signals.Tokens);
