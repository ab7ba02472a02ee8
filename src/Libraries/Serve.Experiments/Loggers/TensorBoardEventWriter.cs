using System.Buffers.Binary;
using System.Numerics;
using System.Text.Json;

namespace Serve.Experiments.Loggers;

/// <summary>Writes TensorBoard event files: TFRecord frames with an <c>Event</c> message each.</summary>
/// <remarks>
/// A frame is the length (64 bits), its masked CRC-32C, the message, and its masked CRC-32C; mask(c) = rotate_right(c, 15) + 0xa282ead8. Fields of messages are from TensorFlow's event.proto and
/// summary.proto and from TensorBoard's plugin_data.proto of the plugin "hparams".
/// </remarks>
public sealed class TensorBoardEventWriter : IDisposable
{
    private const string ParametersPlugin = "hparams";

    private readonly FileStream _file;
    private readonly TimeProvider _timeProvider;

    /// <summary>Creates a new event file in a folder.</summary>
    public TensorBoardEventWriter(string folder, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(timeProvider);
        _timeProvider = timeProvider;
        Directory.CreateDirectory(folder);
        var name = FormattableString.Invariant($"events.out.tfevents.{timeProvider.GetUtcNow().ToUnixTimeSeconds()}.{Environment.MachineName}.{Environment.ProcessId}");
        for (var number = 0; ; number++)
        {
            var path = Path.Combine(folder, FormattableString.Invariant($"{name}.{number}"));
            if (File.Exists(path))
                continue;
            _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            break;
        }

        WriteEvent(0, message => message.String(3, "brain.Event:2"));
    }

    /// <summary>Writes scalars of one step.</summary>
    public void WriteScalars(long step, params ReadOnlySpan<(string Tag, double Value)> scalars)
    {
        var summary = new ProtobufMessage();
        foreach (var (tag, value) in scalars)
            summary.Message(1, new ProtobufMessage().String(1, tag).Float(2, (float)value));
        WriteEvent(step, message => message.Message(5, summary));
    }

    /// <summary>Writes the parameters of a session and the tags of its metrics.</summary>
    public void WriteParameters(JsonElement config, IReadOnlyList<string> metricTags)
    {
        ArgumentNullException.ThrowIfNull(metricTags);
        var parameters = Flatten("", config).ToArray();
        var experiment = new ProtobufMessage();
        foreach (var (name, value) in parameters)
            experiment.Message(4, new ProtobufMessage().String(1, name).Integer(4, value.ValueKind switch { JsonValueKind.Number => 3, JsonValueKind.True or JsonValueKind.False => 2, _ => 1 }));
        foreach (var tag in metricTags)
            experiment.Message(5, new ProtobufMessage().Message(1, new ProtobufMessage().String(2, tag)));
        WritePluginData("_hparams_/experiment", new ProtobufMessage().Message(2, experiment));

        var session = new ProtobufMessage();
        foreach (var (name, value) in parameters)
            session.Message(1, new ProtobufMessage().String(1, name).Message(2, ParameterValue(value)));
        WritePluginData("_hparams_/session_start_info", new ProtobufMessage().Message(3, session.Double(5, WallTime())));
    }

    /// <summary>Writes the end of a session.</summary>
    public void WriteSessionEnd(bool hasSucceeded) =>
        WritePluginData("_hparams_/session_end_info", new ProtobufMessage().Message(4, new ProtobufMessage().Integer(1, hasSucceeded ? 1 : 2).Double(2, WallTime())));

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    /// <summary>CRC-32C with the mask of TFRecord.</summary>
    internal static uint MaskedCrc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + 0xA282EAD8;
    }

    private static ProtobufMessage ParameterValue(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => new ProtobufMessage().Double(2, value.GetDouble()),
        JsonValueKind.True or JsonValueKind.False => new ProtobufMessage().Integer(4, value.GetBoolean() ? 1 : 0),
        JsonValueKind.String => new ProtobufMessage().String(3, value.GetString()!),
        _ => new ProtobufMessage().String(3, value.GetRawText()),
    };

    /// <summary>Returns the parameters of nested objects with their paths.</summary>
    private static IEnumerable<(string Name, JsonElement Value)> Flatten(string prefix, JsonElement value) => value.ValueKind == JsonValueKind.Object
        ? value.EnumerateObject().SelectMany(pair => Flatten(prefix.Length == 0 ? pair.Name : $"{prefix}/{pair.Name}", pair.Value))
        : [(prefix, value)];

    private void WritePluginData(string tag, ProtobufMessage data)
    {
        var metadata = new ProtobufMessage().Message(1, new ProtobufMessage().String(1, ParametersPlugin).Message(2, data));

        // A tensor with one zero: data without a tensor is not loaded by all versions.
        var tensor = new ProtobufMessage().Integer(1, 1).Message(2, new ProtobufMessage().Message(2, new ProtobufMessage().Integer(1, 1))).Message(5, new ProtobufMessage().RawFloat(0));
        WriteEvent(0, message => message.Message(5, new ProtobufMessage().Message(1, new ProtobufMessage().String(1, tag).Message(8, tensor).Message(9, metadata))));
    }

    private void WriteEvent(long step, Action<ProtobufMessage> write)
    {
        var message = new ProtobufMessage().Double(1, WallTime());
        if (step != 0)
            message.Integer(2, step);
        write(message);
        var frame = new byte[message.Bytes.Length + 16];
        BinaryPrimitives.WriteInt64LittleEndian(frame, message.Bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), MaskedCrc(frame.AsSpan(0, 8)));
        message.Bytes.CopyTo(frame.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(frame.Length - 4), MaskedCrc(message.Bytes));
        _file.Write(frame);
        _file.Flush();
    }

    private double WallTime() => (_timeProvider.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;
}
