using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// A worker's standard streams: the node's orders come in, ready lines go out, and both belong to nobody: user code reads an
/// empty input and writes to the log file. Used by the worker's main thread and its watching thread, each with its own side.
/// </summary>
internal sealed class WorkerControlPipes : IDisposable
{
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly StreamReader _orders;
    private readonly Lock _writing = new();

    private WorkerControlPipes(Stream input, Stream output)
    {
        this._input = input;
        this._output = output;
        _orders = new StreamReader(input, Encoding.UTF8, false, 256);
    }

    /// <summary>Takes the standard streams away from the rest of the process.</summary>
    public static WorkerControlPipes OpenStandardStreams()
    {
        if (OperatingSystem.IsWindows())
            return new WorkerControlPipes(Console.OpenStandardInput(), Console.OpenStandardOutput());
        var input = OpenPipe(NativeProcessApi.Duplicate(0), FileAccess.Read);
        var output = OpenPipe(NativeProcessApi.Duplicate(1), FileAccess.Write);
        using var nothing = File.OpenHandle("/dev/null");
        NativeProcessApi.Redirect((int)nothing.DangerousGetHandle(), 0);
        return new WorkerControlPipes(input, output);
    }

    public WorkerHandshakeMessage ReadHandshake() =>
        JsonSerializer.Deserialize<WorkerHandshakeMessage>(_orders.ReadLine() ?? throw new EndOfStreamException("A worker is started by a node, which tells it who it is."), ServeJson.Options)!;

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
        NativeProcessApi.Redirect((int)log.DangerousGetHandle(), 1);
        NativeProcessApi.Redirect((int)log.DangerousGetHandle(), 2);
    }

    public void WriteReady(WorkerReadyMessage ready) => Write(JsonSerializer.Serialize(ready, ServeJson.Options));

    /// <summary>Watches the node, and answers its pings, from a thread of its own, since the thread pool may be busy when it matters.</summary>
    public void Watch(Action stop, Action listen, Action die) => new Thread(() =>
    {
        try
        {
            while (_orders.ReadLine() is { } line)
            {
                if (line == WorkerHandshakeMessage.StopLine)
                    stop();
                else if (line == WorkerHandshakeMessage.ListenLine)
                    listen();
                else if (line == WorkerHandshakeMessage.PingLine)
                    Write(WorkerHandshakeMessage.PongLine);
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
        _orders.Dispose();
        _input.Dispose();
        _output.Dispose();
    }

    private void Write(string line)
    {
        lock (_writing)
        {
            _output.Write(Encoding.UTF8.GetBytes(line + "\n"));
            _output.Flush();
        }
    }

    private static FileStream OpenPipe(int descriptor, FileAccess access) => new(new SafeFileHandle(descriptor, ownsHandle: true), access, bufferSize: 0);
}
