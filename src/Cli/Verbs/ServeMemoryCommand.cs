using System.CommandLine;
using System.Text.Json;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve memory</c>: lists the objects of a cluster and the memory of its processes.</summary>
internal static class ServeMemoryCommand
{
    private const int Shown = 100;

    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var json = SharedCommandOptions.Json();
        return new ClusterQueryCommand("memory", "List the objects of a cluster, largest first, and the memory of its processes.") { json }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var memory = await client.GetMemoryAsync(cancellationToken);
                if (parsed.GetValue(json))
                    console.Out.WriteLine(JsonSerializer.Serialize(memory, ServeJson.State));
                else
                    Write(console, memory);
                return CliExitCode.Ok;
            });
    }

    internal static void Write(CommandConsole console, ClusterMemory memory)
    {
        if (memory.Objects.IsEmpty)
            console.Out.WriteLine("No objects.");
        else
            ClusterStateTables.Objects(memory.Objects.Take(Shown)).Write(console);
        if (memory.Objects.Length > Shown)
            console.Error.WriteLine($"Showing the largest {Shown} of {memory.Objects.Length}; use --json to list all.");
        foreach (var (place, bytes) in memory.ObjectBytes)
            console.Out.WriteLine($"objects in {place}: {ByteSizeFormatter.Bytes(bytes)}");
        console.Out.WriteLine($"process {memory.Pid}: {ByteSizeFormatter.Bytes(memory.ProcessBytes)}");
        foreach (var worker in memory.Workers)
            console.Out.WriteLine($"worker {worker.WorkerId} (pid {worker.Pid}): {ByteSizeFormatter.Bytes(worker.Memory)}");
    }
}
