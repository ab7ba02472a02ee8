using System.Text.Json;

namespace Serve.Experiments.Loggers;

/// <summary>Writes the reports of one trial to files of its folder. Called by one thread at a time.</summary>
public abstract class ResultLogger : IDisposable
{
    /// <summary>Writes a report.</summary>
    public abstract void Log(TrialReported report);

    /// <summary>Writes the end of the trial.</summary>
    public virtual void End(bool hasSucceeded)
    {
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the files of a derived class.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>Creates the loggers for JSON, CSV and TensorBoard.</summary>
    /// <param name="folder">The folder of the trial.</param>
    /// <param name="config">The parameters of the trial.</param>
    /// <param name="timeProvider">The clock of TensorBoard's wall times.</param>
    public static IReadOnlyList<ResultLogger> CreateDefault(string folder, JsonElement config, TimeProvider? timeProvider = null) =>
        [new JsonResultLogger(folder, config), new CsvResultLogger(folder), new TensorBoardResultLogger(folder, config, timeProvider ?? TimeProvider.System)];
}

/// <summary>Writes <c>result.json</c>, one report per line as Ray does, and <c>params.json</c>.</summary>
public sealed class JsonResultLogger : ResultLogger
{
    private readonly FileStream _file;

    /// <summary>Creates the files, or continues them.</summary>
    public JsonResultLogger(string folder, JsonElement config)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "params.json"), config.GetRawText());
        _file = new FileStream(Path.Combine(folder, "result.json"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
    }

    /// <inheritdoc />
    public override void Log(TrialReported report)
    {
        ArgumentNullException.ThrowIfNull(report);
        using (var writer = new Utf8JsonWriter(_file))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in report.Metrics)
                WriteNumber(writer, name, value);
            writer.WriteNumber("training_iteration", report.Iteration);
            WriteNumber(writer, "time_total_s", report.Seconds);
            writer.WriteString("trial_id", report.TrialId);
            writer.WriteEndObject();
        }

        _file.WriteByte((byte)'\n');
        _file.Flush();
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing) => _file.Dispose();

    // NaN and Infinity without quotes, as Python writes and reads them.
    private static void WriteNumber(Utf8JsonWriter writer, string name, double value)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumber(name, value);
            return;
        }

        writer.WritePropertyName(name);
        writer.WriteRawValue(double.IsNaN(value) ? "NaN"u8 : value > 0 ? "Infinity"u8 : "-Infinity"u8, skipInputValidation: true);
    }
}

/// <summary>Writes <c>progress.csv</c>. The columns are those of the first report; later metrics that are new are left out, as in Ray.</summary>
public sealed class CsvResultLogger : ResultLogger
{
    private readonly StreamWriter _file;
    private string[]? _columns;

    /// <summary>Creates the file, or continues it.</summary>
    public CsvResultLogger(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "progress.csv");
        if (File.Exists(path) && File.ReadLines(path).FirstOrDefault() is { Length: > 0 } header)
            _columns = header.Split(',')[..^2];
        _file = new StreamWriter(path, append: true) { AutoFlush = true, NewLine = "\n" };
    }

    /// <inheritdoc />
    public override void Log(TrialReported report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (_columns is null)
        {
            _columns = [.. report.Metrics.Keys];
            _file.WriteLine(string.Join(',', _columns.Select(Quoted).Concat(["training_iteration", "time_total_s"])));
        }

        var values = _columns.Select(column => report.Metrics.TryGetValue(column, out var value) ? FormattableString.Invariant($"{value:R}") : "");
        _file.WriteLine(FormattableString.Invariant($"{string.Join(',', values)},{report.Iteration},{report.Seconds:R}"));
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing) => _file.Dispose();

    private static string Quoted(string name) => name.AsSpan().IndexOfAny(",\"\n") < 0 ? name : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
