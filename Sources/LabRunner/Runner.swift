internal import LabKit
