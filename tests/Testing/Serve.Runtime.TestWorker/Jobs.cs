using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.TestWorker;

/// <summary>Functions that tests run as tasks, in this process and in workers.</summary>
public static partial class Jobs
{
    [Remote]
    public static int Add(int a, int b) => a + b;

    [Remote]
    public static int Pid() => Environment.ProcessId;

    [Remote]
    public static void Nothing()
    {
    }

    [Remote]
    public static double[] Scale(double[] values, double factor) => [.. values.Select(value => value * factor)];

    [Remote]
    public static async Task<string> Later(string text)
    {
        await Task.Yield();
        return text + "!";
    }

    [Remote]
    public static Person? Older(Person? person) => person is null ? null : person with { Age = person.Age + 1 };

    [Remote]
    public static (int Quotient, int Remainder) DivMod(int a, int b) => (a / b, a % b);

    [Remote]
    public static Dictionary<string, List<int>> Group(IEnumerable<string> words) =>
        words.GroupBy(word => word[..1]).ToDictionary(group => group.Key, group => group.Select(word => word.Length).ToList());

    [Remote]
    public static int Fail(string message) => throw new InvalidOperationException(message);

    [Remote]
    public static async Task<int> FailLater(string message)
    {
        await Task.Yield();
        throw new InvalidOperationException(message);
    }

    /// <summary>Kills its process at the first attempt, which creates a file.</summary>
    [Remote]
    public static int CrashOnce(string file)
    {
        if (!File.Exists(file))
        {
            File.WriteAllText(file, "");
            Environment.Exit(7);
        }

        return Environment.ProcessId;
    }

    [Remote(MaxRetries = 0)]
    public static int Crash()
    {
        Environment.Exit(7);
        return 0;
    }

    /// <summary>Creates a file, then waits for cancellation.</summary>
    [Remote(MaxRetries = 0)]
    public static async Task<int> Wait(string file, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(file, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), CancellationToken.None);
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await File.WriteAllTextAsync(file, "cancelled", CancellationToken.None);
            throw;
        }

        return 0;
    }

    /// <summary>Creates a file, then blocks until another file exists, ignoring cancellation.</summary>
    [Remote]
    public static int Block(string file, string until)
    {
        File.WriteAllText(file, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        SpinWait.SpinUntil(() => File.Exists(until), TimeSpan.FromSeconds(60));
        return Environment.ProcessId;
    }

    /// <summary>Writes to standard error, and to standard output on a thread that no task has started.</summary>
    [Remote]
    public static int WriteErrors(string error, string background)
    {
        Console.Error.WriteLine(error);
        using (ExecutionContext.SuppressFlow())
        {
            var thread = new Thread(() => Console.WriteLine(background));
            thread.Start();
            thread.Join();
        }

        return 0;
    }

    /// <summary>Blocks all thread-pool threads of its process for some time.</summary>
    [Remote(MaxRetries = 0)]
    public static int BusyPool(int milliseconds)
    {
        var end = Environment.TickCount64 + milliseconds;
        for (var i = 0; i < 500; i++)
            ThreadPool.UnsafeQueueUserWorkItem(_ => Thread.Sleep((int)Math.Max(0, end - Environment.TickCount64)), null);
        Thread.Sleep(milliseconds);
        return Environment.ProcessId;
    }

    /// <summary>Waits for another task that runs in the same process, and cancels it forcibly. A retry returns the processes in which both ran.</summary>
    [Remote(MaxRetries = 0)]
    public static async Task<string> KillNeighbour(Cluster ray, string own, string other, string never)
    {
        if (File.Exists(own))
            return $"{await File.ReadAllTextAsync(own)} {await File.ReadAllTextAsync(other)}";
        await File.WriteAllTextAsync(own, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        var neighbour = ray.Jobs.Block.Remote(other, never);
        var waiting = ray.Wait([neighbour]);
        while (!File.Exists(other) || new FileInfo(other).Length == 0)
            await Task.Delay(5);
        ray.Cancel(neighbour, force: true);
        await waiting;
        await Task.Delay(TimeSpan.FromSeconds(30));
        return "its process lives";
    }

    /// <summary>Sum of 1 to n by recursive tasks.</summary>
    [Remote]
    public static int Sum(Cluster ray, int n) => n == 0 ? 0 : n + ray.Jobs.Sum.Remote(n - 1).GetResult();

    [Remote]
    public static async Task<int> SumLater(Cluster ray, int n) => n == 0 ? 0 : n + await ray.Jobs.SumLater.Remote(n - 1);

    /// <summary>Creates a reference in a task, passes it on and returns it.</summary>
    [Remote]
    public static ObjectRef<int> Inner(Cluster ray, int value) => ray.Jobs.Add.Remote(ray.Put(value), 1);

    [Remote]
    public static async Task<int> Open(ObjectRef<int> inside) => await inside;

    [Remote]
    public static async Task<int[]> Fan(int count)
    {
        var ray = Cluster.Current;
        var refs = Enumerable.Range(0, count).Select(i => ray.Jobs.Add.Remote(i, i)).ToList();
        var (ready, pending) = await ray.Wait(refs, count);
        return pending.Count == 0 ? await ray.Get(ready) : [];
    }

    [Remote]
    public static async Task<string> FailInside(Cluster ray)
    {
        try
        {
            await ray.Jobs.Fail.Remote("inner");
            return "nothing";
        }
        catch (InvalidOperationException thrown)
        {
            return $"{thrown.GetType()}: {thrown.Message}";
        }
    }

    [Remote]
    public static string States(Cluster ray) => $"{ray.ListTasks().Any(task => task.Name == "Jobs.States")} {ray.Resources["CPU"]}";

    [Remote]
    public static object Unwritable() => new Action(() => { });

    [Remote]
    public static string? Variable(string name) => Environment.GetEnvironmentVariable(name);

    [Remote]
    public static void Write(string line) => Console.WriteLine(line);

    /// <summary>Writes lines; creates the file once it had to wait for the driver. Returns how often it waited.</summary>
    [Remote]
    public static long WriteLines(int count, int length, string file)
    {
        using var watch = new Timer(
            _ =>
            {
                if (TransportMetrics.ProducerWaits > 0)
                    File.WriteAllText(file, "");
            },
            null,
            TimeSpan.FromMilliseconds(10),
            TimeSpan.FromMilliseconds(10));
        var line = new string('x', length);
        for (var i = 0; i < count; i++)
            Console.WriteLine(line);
        return TransportMetrics.ProducerWaits;
    }

    [Remote]
    [SuppressMessage("Usage", "CA2201", Justification = "The system throws it when memory runs out; tests ask for one.")]
    public static int ThrowUnusual() => throw new NotWritableException(new object());

    /// <summary>An exception that cannot be deserialized in another process.</summary>
    [SuppressMessage("Design", "CA1032", Justification = "Tests need an exception without these constructors.")]
    public sealed class NotWritableException(object cause) : Exception($"because of {cause}");

    [Remote]
    public static int ThrowWithFields(int code)
    {
        try
        {
            return ThrowInner();
        }
        catch (FormatException inner)
        {
            throw new CodedException(code, inner) { Data = { ["key"] = "value" } };
        }
    }

    private static int ThrowInner() => throw new FormatException("the cause");

    [Remote]
    public static int ThrowUnsendable() => throw new UnsendableException();

    /// <summary>An exception with its own state and without the usual constructors.</summary>
    [SuppressMessage("Design", "CA1032", Justification = "Exceptions of users often have other constructors.")]
    public sealed class CodedException(int code, Exception inner) : Exception($"code {code}", inner)
    {
        public int Code { get; } = code;

        public List<int> Details { get; } = [code, code + 1];
    }

    /// <summary>An exception that holds something of its process.</summary>
    [SuppressMessage("Design", "CA1032", Justification = "Tests need one constructor.")]
    public sealed class UnsendableException : Exception
    {
        public Action Cleanup { get; } = static () => { };
    }

    public sealed record Person(string Name, int Age);
}
