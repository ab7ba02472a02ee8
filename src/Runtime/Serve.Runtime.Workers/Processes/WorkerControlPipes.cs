using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// Standard streams of a worker: commands of the node arrive on input, ready lines are written to output. User code has neither: it reads an
/// empty input and writes to the log file. Output is used by the main thread and the watching thread, input by the watching thread.
/// </summary>
internal sealed class WorkerControlPipes : IDisposable
{
    /// <summary>Name of the datum of <see cref="AppContext"/> with the path of the file that receives native output.</summary>
    public const string NativeOutputData = "Serve.NativeOutputFile";

    private readonly Stream _input;
    private readonly Stream _output;
    private readonly StreamReader _orders;
    private readonly Lock _writing = new();

    private WorkerControlPipes(Stream input, Stream output)
    {
        _input = input;
        _output = output;
        _orders = new StreamReader(input, Encoding.UTF8, false, 256);
    }

    /// <summary>Opens the standard streams and detaches them from the rest of the process.</summary>
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
        JsonSerializer.Deserialize<WorkerHandshakeMessage>(_orders.ReadLine() ?? throw new EndOfStreamException("A worker must be started by a node, which sends its handshake."), ServeJson.Options)!;

    /// <summary>
    /// Redirects the console of the process to a file, and what native code writes to its standard streams, including the crash report of the runtime, to
    /// <see cref="WorkerLogFiles.NativeFileOf"/> it.
    /// </summary>
    public static void LogTo(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var writer = TextWriter.Synchronized(new StreamWriter(new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete), new UTF8Encoding(false)) { AutoFlush = true });
        Console.SetOut(writer);
        Console.SetError(writer);
        if (OperatingSystem.IsWindows())
            return;
        var native = WorkerLogFiles.NativeFileOf(file);
        using var log = File.OpenHandle(native, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        NativeProcessApi.Redirect((int)log.DangerousGetHandle(), 1);
        NativeProcessApi.Redirect((int)log.DangerousGetHandle(), 2);
        AppContext.SetData(NativeOutputData, native);
    }

    public void WriteReady(WorkerReadyMessage ready) => Write(JsonSerializer.Serialize(ready, ServeJson.Options));

    /// <summary>Watches the node and answers its pings on a thread of its own, since the thread pool may be busy.</summary>
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
                    Write(WorkerHandshakeMessage.PongLine + ThreadPool.CompletedWorkItemCount.ToString(CultureInfo.InvariantCulture));
            }
        }
        catch (IOException)
        {
            // A broken pipe means the same as a closed one.
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
