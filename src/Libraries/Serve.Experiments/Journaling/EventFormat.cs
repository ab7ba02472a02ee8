using System.Globalization;
using System.Text.Json;

namespace Serve.Experiments.Journaling;

/// <summary>JSON form of events: one object with the kind in <c>event</c>. Values that JSON numbers cannot express are the strings NaN, Infinity and -Infinity.</summary>
internal static class EventFormat
{
    public static void Write(Utf8JsonWriter writer, ExperimentEvent change)
    {
        writer.WriteStartObject();
        switch (change)
        {
            case TrialReported report:
                Start(writer, "result", report.TrialId);
                writer.WriteNumber("iteration", report.Iteration);
                WriteNumber(writer, "seconds", report.Seconds);
                writer.WriteStartObject("metrics");
                foreach (var (name, value) in report.Metrics)
                    WriteNumber(writer, name, value);
                writer.WriteEndObject();
                break;
            case TrialAdded added:
                Start(writer, "trial", added.TrialId);
                writer.WritePropertyName("config");
                added.Config.WriteTo(writer);
                break;
            case TrialStateChanged state:
                Start(writer, "state", state.TrialId);
                writer.WriteString("state", state.State.ToString());
                if (state.Error is not null)
                    writer.WriteString("error", state.Error);
                break;
            case CheckpointStored stored:
                Start(writer, "checkpoint", stored.TrialId);
                writer.WriteNumber("number", stored.Number);
                writer.WriteNumber("iteration", stored.Iteration);
                if (stored.Score is { } score)
                    WriteNumber(writer, "score", score);
                break;
            case CheckpointRemoved removed:
                Start(writer, "checkpoint_removed", removed.TrialId);
                writer.WriteNumber("number", removed.Number);
                break;
            case ExperimentCreated created:
                writer.WriteString("event", "experiment");
                writer.WriteString("name", created.Name);
                writer.WriteString("time", created.Time);
                if (created.Settings is { } settings)
                {
                    writer.WritePropertyName("settings");
                    settings.WriteTo(writer);
                }

                break;
            default:
                throw new ArgumentException($"Event of type {change.GetType().Name} has no JSON form.", nameof(change));
        }

        writer.WriteEndObject();
    }

    /// <summary>Reads an event.</summary>
    /// <exception cref="FormatException">The line is not an event.</exception>
    public static ExperimentEvent Read(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            return root.GetProperty("event").GetString() switch
            {
                "result" => new TrialReported(Trial(root), root.GetProperty("iteration").GetInt32(), Number(root.GetProperty("seconds")),
                    MetricValues.From(root.GetProperty("metrics").EnumerateObject().Select(pair => KeyValuePair.Create(pair.Name, Number(pair.Value))).ToArray())),
                "trial" => new TrialAdded(Trial(root), root.GetProperty("config").Clone()),
                "state" => new TrialStateChanged(Trial(root), Enum.Parse<TrialState>(root.GetProperty("state").GetString()!), root.TryGetProperty("error", out var error) ? error.GetString() : null),
                "checkpoint" => new CheckpointStored(Trial(root), root.GetProperty("number").GetInt32(), root.GetProperty("iteration").GetInt32(), root.TryGetProperty("score", out var score) ? Number(score) : null),
                "checkpoint_removed" => new CheckpointRemoved(Trial(root), root.GetProperty("number").GetInt32()),
                "experiment" => new ExperimentCreated(root.GetProperty("name").GetString()!, root.GetProperty("time").GetDateTimeOffset(), root.TryGetProperty("settings", out var settings) ? settings.Clone() : null),
                var kind => throw new FormatException($"Unknown event '{kind}'."),
            };
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"Line is not an event of an experiment: {failure.Message}", failure);
        }

        static string Trial(JsonElement root) => root.GetProperty("trial").GetString()!;
    }

    private static void Start(Utf8JsonWriter writer, string kind, string trial)
    {
        writer.WriteString("event", kind);
        writer.WriteString("trial", trial);
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, double value)
    {
        if (double.IsFinite(value))
            writer.WriteNumber(name, value);
        else
            writer.WriteString(name, value.ToString(CultureInfo.InvariantCulture));
    }

    private static double Number(JsonElement value) => value.ValueKind == JsonValueKind.String ? double.Parse(value.GetString()!, CultureInfo.InvariantCulture) : value.GetDouble();
}
