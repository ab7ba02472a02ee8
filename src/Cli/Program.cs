using Serve.Cli;
using Serve.Cli.Hosting;
using Serve.Cli.Verbs;
using Serve.Runtime;
using Serve.Runtime.Onnx;

// Before any culture is used.
GlobalizationModeSelector.Select();

// First, before other assemblies are loaded: the start time of workers matters.
if (args is [NodeProcessServices.WorkerVerb, var stateDirectory])
{
    await WorkerProcessHost.RunAsync(services => services.AddServeProcess(stateDirectory).AddWorkerLogging());
    return CliExitCode.Ok;
}

if (args is [NodeProcessServices.SuperviseVerb, _, ..])
    return ProcessGroupSupervisor.Run(args[1..]);

if (args is [NodeProcessServices.ProbeVerb])
    return await OnnxModelProbe.RunAsync();

using var signals = new ShutdownSignalHandler(TimeProvider.System);
return await ServeRootCommand.RunAsync(args, CommandConsole.Standard(), signals.Tokens);
