using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Workers;

/// <summary>
/// A worker's standard streams: the node's orders come in, ready lines go out, and both belong to nobody: user code reads an
/// empty input and writes to the log file. Used by the worker's main thread and its watching thread, each with its own side.
/// </summary>
internal sealed class WorkerPipes : IDisposable
{
    private readonly Stream input;
    private readonly Stream output;
    private readonly StreamReader orders;
    private readonly Lock writing = new();

    private WorkerPipes(Stream input, Stream output)
    {
        this.input = input;
        this.output = output;
        orders = new StreamReader(input, Encoding.UTF8, false, 256);
    }

    /// <summary>Takes the standard streams away from the rest of the process.</summary>
    public static WorkerPipes Take()
    {
        if (OperatingSystem.IsWindows())
            return new WorkerPipes(Console.OpenStandardInput(), Console.OpenStandardOutput());
        var input = OpenPipe(NativeProcess.Duplicate(0), FileAccess.Read);
        var output = OpenPipe(NativeProcess.Duplicate(1), FileAccess.Write);
        using var nothing = File.OpenHandle("/dev/null");
        NativeProcess.Redirect((int)nothing.DangerousGetHandle(), 0);
        return new WorkerPipes(input, output);
    }

    public WorkerHandshake ReadHandshake() =>
        JsonSerializer.Deserialize<WorkerHandshake>(orders.ReadLine() ?? throw new EndOfStreamException("A worker is started by a node, which tells it who it is."), ServeJson.Options)!;

    /// <summary>Sends the process's output to a file from now on, also what the runtime itself writes when it crashes.</summary>
    public static void LogTo(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        if (OperatingSystem.IsWindows())
        {
            var writer = new StreamWriter(file, append: true) { AutoFlush = true };
            Console.SetOut(writer);
            Console.SetError(writer);
            return;
        }

        using var log = File.OpenHandle(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        NativeProcess.Redirect((int)log.DangerousGetHandle(), 1);
        NativeProcess.Redirect((int)log.DangerousGetHandle(), 2);
    }

    public void WriteReady(WorkerReady ready) => Write(JsonSerializer.Serialize(ready, ServeJson.Options));

    /// <summary>Watches the node, and answers its pings, from a thread of its own, since the thread pool may be busy when it matters.</summary>
    public void Watch(Action stop, Action listen, Action die) => new Thread(() =>
    {
        try
        {
            while (orders.ReadLine() is { } line)
            {
                if (line == WorkerHandshake.StopLine)
                    stop();
                else if (line == WorkerHandshake.ListenLine)
                    listen();
                else if (line == WorkerHandshake.PingLine)
                    Write(WorkerHandshake.PongLine);
            }
        }
        catch (IOException)
        {
            // A broken pipe is the same news as a closed one.
        }

        die();
    })
    { IsBackground = true, Name = "serve node watch" }.Start();

    public void Dispose()
    {
        orders.Dispose();
        input.Dispose();
        output.Dispose();
    }

    private void Write(string line)
    {
        lock (writing)
        {
            output.Write(Encoding.UTF8.GetBytes(line + "\n"));
            output.Flush();
        }
    }

    private static FileStream OpenPipe(int descriptor, FileAccess access) => new(new SafeFileHandle(descriptor, ownsHandle: true), access, bufferSize: 0);
}
