using System.Diagnostics;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime;

/// <summary>
/// Main method of a process that runs a command for its parent, in a process group of its own. When its standard input ends, because the parent closed it or ended in
/// whatever way, it kills the command, all processes that the command started, and itself. It also kills the processes that the command leaves behind.
/// </summary>
public static class ProcessGroupSupervisor
{
    /// <summary>Runs the command. It inherits standard output and error and reads an empty input.</summary>
    /// <param name="command">The executable, then its arguments.</param>
    /// <returns>The exit code of the command.</returns>
    public static int Run(IReadOnlyList<string> command)
    {
        NativeProcessApi.BecomeGroupLeader();
        NativeProcessApi.ContinueOnParentExit();
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { UseShellExecute = false, RedirectStandardInput = true };
        var mark = DescendantProcesses.Mark(start.Environment);
        using var process = Process.Start(start)
            ?? throw new InvalidOperationException($"{command[0]} did not start.");
        process.StandardInput.Close();
        new Thread(() =>
        {
            var input = Console.OpenStandardInput();
            Span<byte> ignored = stackalloc byte[64];
            while (input.Read(ignored) > 0)
            {
            }

            if (OperatingSystem.IsWindows())
                process.Kill(entireProcessTree: true);
            DescendantProcesses.KillAll(mark);
            NativeProcessApi.KillGroup(Environment.ProcessId);
        })
        { IsBackground = true, Name = "serve supervisor" }.Start();
        process.WaitForExit();
        DescendantProcesses.KillAll(mark);
        return process.ExitCode;
    }
}
